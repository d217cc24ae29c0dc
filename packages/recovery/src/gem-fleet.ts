/**
 * The instances of the tracker gem that share our namespace: finds the dead among them, and puts back what they held.
 *
 * What must stay true: nobody of the gem's who lives loses a job. Its heartbeat alone does not say so: the gem deletes it at the
 * beginning of a stop, while its jobs run on. So an instance is dead when it had no heartbeat for a while, and a job is its
 * orphan when, beyond that, no Sidekiq process says that it runs it. And nothing is put back twice: the gem reads and then
 * deletes, in two steps, so it is done under the lock that the gem respects, which is never taken from it.
 */
import { keys, type Logger, redisTimeMs, WorkSet } from '@tsq/core';
import type { Instance, InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { burialOf, buryPoison } from './bury-poison.js';
import { GemScan } from './gem-scan.js';
import type { OrphanRecovery, RecoveredInstance } from './orphan-recovery.js';
import { type GemJob, type GemRecoveryStep, gemMember, gemQueueOf, recoverGem } from './recover-gem.js';
import { releaseLock, takeLock } from './recovery-lock.js';
import type { RecovererSettings } from './settings.js';

/** Of a scan that takes several slices. */
const betweenSlicesMs = 100;
/** One step carries no more payloads than are read until they are so big together. */
const enoughBytes = 1_048_576;
/** So many jobs in a step, and for each so many other instances that are asked whether they track it too: some 2 ms together. */
const mostJobs = 25;
const mostOthers = 200;

export interface GemFleetOptions {
  readonly redis: Redis;
  readonly keyspace: Keyspace;
  readonly instance: Instance;
  readonly settings: Pick<
    RecovererSettings,
    'gemScanIntervalMs' | 'gemGraceMs' | 'lockTtlMs' | 'position' | 'dead' | 'dialect'
  >;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Reports what was recovered, and puts back what an unregistered instance of our own left. */
  readonly orphans: OrphanRecovery;
}

export class GemFleet {
  private readonly scan: GemScan;
  private scanAtMs = performance.now();
  /** Since when they were seen without a heartbeat. */
  private readonly suspects = new Map<InstanceId, number>();
  /** All that the last scan found, of the gem's. */
  private known: readonly InstanceId[] = [];
  /** Suspects of which jobs have gone back: it is told once that they are dead. */
  private readonly declared = new Set<InstanceId>();
  /** What kept jobs of an instance at the last look. */
  private readonly blocked = new Map<InstanceId, string>();

  constructor(private readonly options: GemFleetOptions) {
    this.scan = new GemScan(options.redis, options.keyspace);
  }

  /** By `performance.now()`. */
  get dueAtMs(): number {
    const { gemGraceMs } = this.options.settings;
    return Math.min(this.scanAtMs, ...[...this.suspects.values()].map((since) => since + gemGraceMs));
  }

  /** One slice of a scan, or one try to recover the suspects whose time is over. */
  async step(): Promise<void> {
    if (performance.now() >= this.scanAtMs) await this.look();
    const { gemGraceMs } = this.options.settings;
    const due = [...this.suspects].filter(([, since]) => performance.now() - since >= gemGraceMs);
    if (due.length > 0) await this.recoverUnderLock(due.map(([id]) => id));
  }

  /** The turn at scanning goes to the others. */
  async stop(): Promise<void> {
    const { redis, keyspace, instance } = this.options;
    await releaseLock(redis, keyspace, instance.id, 'gemScan');
  }

  private async look(): Promise<void> {
    const { redis, keyspace, instance, settings } = this.options;
    this.scanAtMs = performance.now() + settings.gemScanIntervalMs;
    if (!this.scan.isUnderWay) {
      // One scan for the whole fleet; who begins one may end it after its turn.
      const turn = await takeLock(redis, keyspace, 'gemScan', instance.id, settings.gemScanIntervalMs);
      if (turn === 'held') return;
    }
    const found = await this.scan.slice();
    if (found === undefined) this.scanAtMs = performance.now() + betweenSlicesMs;
    else await this.judge(found);
  }

  private async judge(found: readonly InstanceId[]): Promise<void> {
    const { redis, keyspace } = this.options;
    const own = await redis.sunion(keyspace.instances, keyspace.deadInstances);
    const foreign = found.filter((id) => !own.includes(id));
    this.known = foreign;
    const now = performance.now();
    const dead = new Set<InstanceId>();
    for (const id of foreign) if ((await redis.exists(keyspace.instance(id))) === 0) dead.add(id);
    for (const id of this.suspects.keys()) if (!dead.has(id)) this.forget(id);
    for (const id of dead) if (!this.suspects.has(id)) this.suspects.set(id, now);
  }

  private async recoverUnderLock(due: readonly InstanceId[]): Promise<void> {
    const { redis, keyspace, instance, settings, signal } = this.options;
    // A suspect whose turn has not brought it to an end waits for another grace.
    for (const id of due) this.suspects.set(id, performance.now());
    const lock = await takeLock(redis, keyspace, 'recoveryLock', instance.id, settings.lockTtlMs, 'with-gem');
    if (lock === 'held') return;
    try {
      const running = await this.running();
      for (const id of due) {
        if (signal.aborted) return;
        await this.recover(id, running);
      }
    } finally {
      await releaseLock(redis, keyspace, instance.id);
    }
  }

  /** Jids of what any process of Sidekiq's says that it runs. */
  private async running(): Promise<ReadonlySet<string>> {
    const running = new Set<string>();
    for await (const { job } of new WorkSet(this.options.redis)) {
      if (job.jid !== undefined) running.add(job.jid);
    }
    return running;
  }

  private async recover(id: InstanceId, running: ReadonlySet<string>): Promise<void> {
    const { redis, keyspace, orphans } = this.options;
    const startedAt = performance.now();
    const held = await redis.smembers(keyspace.jobs(id));
    // An id of ours that is in no registry any more, such as after Redis was set back to an earlier moment.
    if (held.length > 0 && held.every((member) => member.startsWith(`${id}.`) && member.includes('@'))) {
      await orphans.run(redis, id, 'heartbeat');
      return;
    }
    const sum = { recovered: 0, missing: 0, poison: 0, remaining: held.length };
    const orphaned = held.filter((jid) => !running.has(jid));
    for await (const jobs of this.batchesOf(orphaned)) {
      const step = await this.putBack(id, jobs);
      if (step === 'alive' || step === 'own') break;
      const buried = await this.buryAll(id, step);
      sum.recovered += step.recovered;
      sum.missing += step.missing.length;
      sum.poison += buried;
      sum.remaining -= step.ended + buried;
      this.note(id, step);
    }
    this.report({
      instance: id,
      rule: 'heartbeat',
      ...sum,
      durationMs: Math.round(performance.now() - startedAt),
      postMortem: undefined, // the gem's instances leave no note
    });
    if (sum.remaining === 0) this.forget(id);
  }

  /** Payloads are read one by one, so that a batch is never much bigger than it may be. */
  private async *batchesOf(jids: readonly string[]): AsyncGenerator<readonly GemJob[]> {
    const { redis, keyspace, signal } = this.options;
    let batch: GemJob[] = [];
    let bytesInBatch = 0;
    for (const jid of jids) {
      if (signal.aborted) return;
      // Of a key of another type nothing can be read: it counts as gone.
      const [bytes = null] = await redis.mgetBuffer(keyspace.job(gemMember(jid)));
      batch.push({ jid, bytes });
      bytesInBatch += bytes?.length ?? 0;
      if (batch.length < mostJobs && bytesInBatch < enoughBytes) continue;
      yield batch;
      batch = [];
      bytesInBatch = 0;
    }
    if (batch.length > 0) yield batch;
  }

  private async putBack(id: InstanceId, jobs: readonly GemJob[]): Promise<GemRecoveryStep | 'alive' | 'own'> {
    const { redis, keyspace, settings } = this.options;
    const others = this.known.filter((other) => other !== id).slice(0, mostOthers);
    return await recoverGem(redis, keyspace, id, jobs, others, settings);
  }

  private async buryAll(id: InstanceId, { poison }: GemRecoveryStep): Promise<number> {
    const { redis, keyspace, settings, orphans } = this.options;
    if (poison.length === 0) return 0;
    const at = { ...settings, atSeconds: (await redisTimeMs(redis)) / 1_000 };
    let buried = 0;
    for (const each of poison) {
      const burial = burialOf(id, each, at, gemQueueOf(each.bytes) ?? '');
      const reply = await buryPoison(redis, keyspace, id, each.member, burial, settings.dead);
      if (reply !== 'buried') continue;
      buried += 1;
      orphans.reportPoison(burial);
    }
    return buried;
  }

  private report(report: RecoveredInstance): void {
    const { orphans } = this.options;
    if (report.recovered + report.missing + report.poison === 0) return;
    const { instance, rule, recovered, missing, poison, remaining } = report;
    if (!this.declared.has(instance)) {
      this.declared.add(instance);
      orphans.declare({ instance, rule, jobs: recovered + missing + poison + remaining, how: undefined });
    }
    orphans.report(report);
  }

  private forget(id: InstanceId): void {
    this.suspects.delete(id);
    this.declared.delete(id);
  }

  /** What is in the way is logged when it changes, not at each look. */
  private note(instance: InstanceId, { unreadable, missing, blockedBy }: GemRecoveryStep): void {
    const { logger } = this.options;
    if (unreadable.length > 0) {
      const what = `jobs of a dead instance of the gem can not be read: they are in ${keys.dead}, with their bytes`;
      logger.error({ instance, jids: unreadable }, what);
    }
    if (missing.length > 0) {
      const what = 'a dead instance of the gem tracked jobs without a payload: there is nothing to put back';
      logger.error({ instance, jids: missing }, what);
    }
    const summary = blockedBy.join(' ');
    if (summary !== '' && summary !== this.blocked.get(instance)) {
      const what =
        'jobs of a dead instance of the gem can not be put back: keys hold another type; they are kept';
      logger.error({ instance, blockedBy }, what);
    }
    if (summary === '') this.blocked.delete(instance);
    else this.blocked.set(instance, summary);
  }
}
