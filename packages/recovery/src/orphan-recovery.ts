/**
 * Puts back what one dead instance held, step by step, and tells what it did. What must stay true: what keeps a job from
 * going back is logged once and not at each look, and never keeps the others.
 */
import { faultPoint, keys, type Logger, pause } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { type BuriedPoison, burialOf, buryPoison } from './bury-poison.js';
import { heldJobs } from './held-jobs.js';
import { orphansOf } from './orphans.js';
import { Inquest, type PostMortem } from './post-mortem.js';
import { type RecoveryStep, recover } from './recover.js';
import type { RecovererSettings } from './settings.js';
import { readVitals } from './vitals.js';

/** By which rule an instance is dead: its heartbeat ran out, or all its connections were closed. */
export type DeathRule = 'heartbeat' | 'connections';

/** An instance that this process has declared dead. */
export interface DeclaredDeath {
  readonly instance: InstanceId;
  readonly rule: DeathRule;
  /** What it held: these jobs are put back, or were with the declaration. */
  readonly jobs: number;
  /** In words, from its last note; undefined when it left none. */
  readonly how: string | undefined;
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
  /** What its last note says of its end; undefined when it left none. */
  readonly postMortem: PostMortem | undefined;
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
    const inquest = await this.openInquest(redis, id, rule);
    try {
      await this.inSteps(redis, id, sum, inquest);
    } finally {
      const { declaredDead, ...moved } = sum;
      // Otherwise another one was faster, or nothing could move.
      if (declaredDead || moved.recovered + moved.missing + moved.poison > 0) {
        const durationMs = Math.round(performance.now() - startedAt);
        this.report({ instance: id, rule, ...moved, durationMs, postMortem: inquest.finding });
      }
    }
  }

  /** Of the others nothing needs to be kept in mind any more. */
  forgetAllBut(ids: readonly InstanceId[]): void {
    for (const id of this.blocked.keys()) if (!ids.includes(id)) this.blocked.delete(id);
  }

  /** Before the first step, which may take all along. */
  private async openInquest(redis: Redis, id: InstanceId, rule: DeathRule): Promise<Inquest> {
    const { keyspace } = this.options;
    const vitals = (await readVitals(redis, keyspace, [id])).get(id);
    // Without a note nothing is said of its jobs.
    const held = vitals === undefined ? new Map() : await heldJobs(redis, keyspace, id);
    return new Inquest(id, rule, held, vitals);
  }

  /** First it is declared dead, so that it claims nothing more; then what it holds is read, and goes back step by step. */
  private async inSteps(redis: Redis, id: InstanceId, sum: Sum, inquest: Inquest): Promise<void> {
    const { keyspace, settings, signal } = this.options;
    const { batchSize, position } = settings;
    const declared = await recover(redis, keyspace, id, [], position);
    if (declared === 'alive') return;
    inquest.hear(declared);
    sum.declaredDead = declared.declaredDead;
    sum.remaining = declared.remaining;
    const { how } = inquest.finding ?? {};
    if (sum.declaredDead) this.declare({ instance: id, rule: inquest.rule, jobs: declared.remaining, how });
    if (sum.remaining === 0) return;
    const blockedBy = new Set<string>();
    for await (const orphans of orphansOf(redis, keyspace, id, position)) {
      for (let next = 0; next < orphans.length; ) {
        faultPoint('recover.mid');
        if (signal.aborted) return;
        const startedAt = performance.now();
        const step = await recover(redis, keyspace, id, orphans.slice(next, next + batchSize), position);
        if (step === 'alive') return;
        inquest.hear(step);
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
    const burials = await this.buryAll(redis, id, step);
    for (const key of [...step.blockedBy, ...burials.blockedBy]) blockedBy.add(key);
    sum.poison += burials.buried;
    sum.remaining = step.remaining - burials.buried;
  }

  /** Recoverers share the work: answers how many this one has buried, and the key that is in the way. */
  private async buryAll(redis: Redis, id: InstanceId, { poison: all, atSeconds }: RecoveryStep) {
    const { keyspace, settings } = this.options;
    const blockedBy = new Set<string>();
    let buried = 0;
    for (const poison of all) {
      const burial = burialOf(id, poison, { ...settings, atSeconds });
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
    const { postMortem, ...facts } = report;
    const { instance } = report;
    for (const { jid, class: name, ranMs, sentence } of postMortem?.jobs ?? [])
      logger.warn({ instance, jid, class: name, ranMs, likelyCause: postMortem?.likelyCause }, sentence);
    const level = report.recovered + report.missing > 0 ? 'warn' : 'info';
    const how = postMortem === undefined ? '' : `: ${postMortem.how}`;
    logger[level](facts, `recovered ${report.recovered} jobs of a dead instance${how}`);
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
