/** What must hold of each instance: the living are not declared dead, the dead are declared dead once, and soon. */
import type { Circumstances } from './circumstances.js';
import type { RecoveryTime, Violation } from './report.js';
import type { Recovery, Story } from './story.js';

export interface Bounds {
  /** From the death of a process until its jobs are back. undefined: any time will do. */
  readonly deathMs?: number | undefined;
  /** From the last sign of an instance that is not heard any more. */
  readonly ttlMs?: number | undefined;
}

export class InstanceRules {
  readonly violations: Violation[] = [];
  readonly times: RecoveryTime[] = [];

  constructor(
    private readonly story: Story,
    private readonly circumstances: Circumstances,
    private readonly bounds: Bounds,
  ) {}

  check(): void {
    const byOwner = new Map<string, Recovery[]>();
    for (const recovery of this.story.recoveries) {
      if (recovery.answer === 'alive') continue;
      byOwner.set(recovery.owner, [...(byOwner.get(recovery.owner) ?? []), recovery]);
    }
    for (const [owner, recoveries] of byOwner) this.checkOne(owner, recoveries);
  }

  private checkOne(owner: string, recoveries: readonly Recovery[]): void {
    const declared = recoveries.filter(({ declared }) => declared);
    const [first, second] = declared;
    if (first !== undefined && second !== undefined) {
      const between = this.circumstances.rollbacksBetween(first.sentAt, second.sentAt);
      if (declared.length - 1 > between) this.break('twice recovered', owner, 'was declared dead twice');
    }
    for (const each of declared) {
      if (this.circumstances.wasDead(each) || this.circumstances.couldNotBeHeard(owner, each.sentAt))
        continue;
      this.break(
        'false death',
        owner,
        'lived, and nothing kept it from being heard when it was declared dead',
      );
    }
    this.measure(owner, recoveries);
  }

  /** Until the last of its jobs was back. */
  private measure(owner: string, recoveries: readonly Recovery[]): void {
    const last = recoveries.findLast(({ putBack }) => putBack > 0);
    const pid = this.story.pids.get(owner);
    if (last?.answeredAt === undefined || pid === undefined) return;
    const diedAt = this.circumstances.wasDead(last) ? this.circumstances.diedAt(pid) : undefined;
    const silentAt = this.circumstances.silentSince(owner, last.sentAt);
    const since = diedAt ?? silentAt;
    if (since === undefined || since > last.answeredAt) return;
    const path = diedAt === undefined || (silentAt !== undefined && silentAt < diedAt) ? 'ttl' : 'death';
    const ms = Math.round((last.answeredAt - since) / 1_000);
    const jobs = recoveries.reduce((sum, { putBack }) => sum + putBack, 0);
    const isUndisturbed =
      this.circumstances.somebodyElseLived(pid, since, last.answeredAt) &&
      !this.circumstances.othersWereInTrouble(pid, since, last.answeredAt);
    this.times.push({ owner, path, ms, jobs, isUndisturbed });
    const bound = path === 'death' ? this.bounds.deathMs : this.bounds.ttlMs;
    if (bound === undefined || ms <= bound || !isUndisturbed) return;
    this.break('late', owner, `its jobs were back after ${ms} ms, not within ${bound} ms (${path})`);
  }

  private break(rule: Violation['rule'], subject: string, text: string): void {
    this.violations.push({ rule, subject, text });
  }
}
