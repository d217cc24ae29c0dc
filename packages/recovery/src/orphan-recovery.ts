/**
 * Puts back what one dead instance held, step by step, and tells what it did. What must stay true: what keeps a job from
 * going back is logged once and not at each look, and never keeps the others.
 */
import { faultPoint, keys, type Logger, pause } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { type BuriedPoison, burialOf, buryPoison } from './bury-poison.js';
import { orphansOf } from './orphans.js';
import { type Poison, type RecoveryStep, recover } from './recover.js';
import type { RecovererSettings } from './settings.js';

/** By which rule an instance is dead: its heartbeat ran out, or all its connections were closed. */
export type DeathRule = 'heartbeat' | 'connections';

/** An instance that this process has declared dead. */
export interface DeclaredDeath {
  readonly instance: InstanceId;
  readonly rule: DeathRule;
  /** What it held: these jobs are put back, or were with the declaration. */
  readonly jobs: number;
}

export type DeathListener = (death: DeclaredDeath) => void;

/** What one pass did for one dead instance. */
export interface RecoveredInstance {
  readonly instance: InstanceId;
  readonly rule: DeathRule;
  /** Jobs put back on their queues. */
  readonly recovered: number;
  /** Claims whose payload was gone. */
  readonly missing: number;
  /** Jobs that had killed their process once too often: in the dead set, or dropped. */
  readonly poison: number;
  /** Claims that it holds still: a key is in the way, or the recoverer was stopped. */
  readonly remaining: number;
  readonly durationMs: number;
}

export type RecoveredListener = (report: RecoveredInstance) => void;

export type PoisonListener = (poison: BuriedPoison) => void;

export interface OrphanRecoveryOptions {
  readonly keyspace: Keyspace;
  readonly settings: Pick<RecovererSettings, 'batchSize' | 'position' | 'dead' | 'dialect' | 'deadOption'>;
  readonly logger: Logger;
  /** Aborted, it ends after the step that is under way. */
  readonly signal: AbortSignal;
}

interface Sum {
  declaredDead: boolean;
  recovered: number;
  missing: number;
  poison: number;
  remaining: number;
}

export class OrphanRecovery {
  /** Since the start of the process. */
  readonly counts = { deaths: 0, recovered: 0, missing: 0, poison: 0 };
  private readonly deathListeners = new Set<DeathListener>();
  private readonly listeners = new Set<RecoveredListener>();
  private readonly poisonListeners = new Set<PoisonListener>();
  /** What was in the way at the last look, by instance. */
  private readonly blocked = new Map<InstanceId, string>();

  constructor(private readonly options: OrphanRecoveryOptions) {}

  onDeath(listener: DeathListener): void {
    this.deathListeners.add(listener);
  }

  onRecovered(listener: RecoveredListener): void {
    this.listeners.add(listener);
  }

  onPoison(listener: PoisonListener): void {
    this.poisonListeners.add(listener);
  }

  async run(redis: Redis, id: InstanceId, rule: DeathRule): Promise<void> {
    const startedAt = performance.now();
    const sum = { declaredDead: false, recovered: 0, missing: 0, poison: 0, remaining: 0 };
    try {
      await this.inSteps(redis, id, rule, sum);
    } finally {
      const { declaredDead, ...moved } = sum;
      // Otherwise another one was faster, or nothing could move.
      if (declaredDead || moved.recovered + moved.missing + moved.poison > 0) {
        const durationMs = Math.round(performance.now() - startedAt);
        this.report({ instance: id, rule, ...moved, durationMs });
      }
    }
  }

  /** Of the others nothing needs to be kept in mind any more. */
  forgetAllBut(ids: readonly InstanceId[]): void {
    for (const id of this.blocked.keys()) if (!ids.includes(id)) this.blocked.delete(id);
  }

  /** First it is declared dead, so that it claims nothing more; then what it holds is read, and goes back step by step. */
  private async inSteps(redis: Redis, id: InstanceId, rule: DeathRule, sum: Sum): Promise<void> {
    const { keyspace, settings, signal } = this.options;
    const { batchSize, position } = settings;
    const declared = await recover(redis, keyspace, id, [], position);
    if (declared === 'alive') return;
    sum.declaredDead = declared.declaredDead;
    sum.remaining = declared.remaining;
    if (sum.declaredDead) this.declare({ instance: id, rule, jobs: declared.remaining });
    if (sum.remaining === 0) return;
    const blockedBy = new Set<string>();
    for await (const orphans of orphansOf(redis, keyspace, id, position)) {
      for (let next = 0; next < orphans.length; ) {
        faultPoint('recover.mid');
        if (signal.aborted) return;
        const startedAt = performance.now();
        const step = await recover(redis, keyspace, id, orphans.slice(next, next + batchSize), position);
        if (step === 'alive') return;
        await this.note(redis, id, step, sum, blockedBy);
        next += step.lookedAt;
        // Redis has as much time for the others as for this.
        if (next < orphans.length) await pause(performance.now() - startedAt, signal);
      }
    }
    this.noteBlocked(id, [...blockedBy]);
  }

  private async note(
    redis: Redis,
    id: InstanceId,
    step: RecoveryStep,
    sum: Sum,
    blockedBy: Set<string>,
  ): Promise<void> {
    sum.recovered += step.recovered;
    sum.missing += step.missing.length;
    this.noteMissing(id, step.missing);
    const burials = await this.buryAll(redis, id, step.poison);
    for (const key of [...step.blockedBy, ...burials.blockedBy]) blockedBy.add(key);
    sum.poison += burials.buried;
    sum.remaining = step.remaining - burials.buried;
  }

  /** Recoverers share the work: answers how many this one has buried, and the key that is in the way. */
  private async buryAll(redis: Redis, id: InstanceId, all: readonly Poison[]) {
    const { keyspace, settings } = this.options;
    const blockedBy = new Set<string>();
    let buried = 0;
    for (const poison of all) {
      const burial = burialOf(id, poison, settings);
      const reply = await buryPoison(redis, keyspace, id, poison.member, burial, settings.dead);
      if (reply === 'blocked') blockedBy.add(keys.dead);
      if (reply !== 'buried') continue;
      buried += 1;
      this.reportPoison(burial);
    }
    return { buried, blockedBy };
  }

  reportPoison(poison: BuriedPoison): void {
    this.counts.poison += 1;
    const { jid, class: name, queue, fate, error } = poison;
    const fields = { jid, class: name, queue, fate, err: error };
    this.options.logger.error(fields, 'a job has killed its process again and again');
    this.tell(this.poisonListeners, poison);
  }

  declare(death: DeclaredDeath): void {
    this.counts.deaths += 1;
    const why = death.rule === 'heartbeat' ? 'its heartbeat ran out' : 'all its connections were closed';
    this.options.logger.warn(death, `an instance is dead: ${why}`);
    this.tell(this.deathListeners, death);
  }

  report(report: RecoveredInstance): void {
    const { logger } = this.options;
    this.counts.recovered += report.recovered;
    this.counts.missing += report.missing;
    const level = report.recovered + report.missing > 0 ? 'warn' : 'info';
    logger[level](report, `recovered ${report.recovered} jobs of a dead instance`);
    this.tell(this.listeners, report);
  }

  private tell<T>(listeners: Iterable<(news: T) => void>, news: T): void {
    for (const listener of listeners) {
      try {
        listener(news);
      } catch (error) {
        this.options.logger.error({ err: error }, 'a listener of the recoverer failed');
      }
    }
  }

  private noteMissing(instance: InstanceId, members: readonly string[]): void {
    if (members.length === 0) return;
    const what = 'claims of a dead instance have no payload: there is nothing to put back';
    this.options.logger.error({ instance, members }, what);
  }

  private noteBlocked(instance: InstanceId, blockedBy: readonly string[]): void {
    const summary = blockedBy.join(' ');
    if (summary !== '' && summary !== this.blocked.get(instance)) {
      this.options.logger.error(
        { instance, blockedBy },
        'claims of a dead instance can not be put back: the key of a queue holds no list, that of the dead set no sorted set, or a member names no queue; they are kept',
      );
    }
    if (summary === '') this.blocked.delete(instance);
    else this.blocked.set(instance, summary);
  }
}
