/**
 * Looks for dead instances and puts back what they held. Any number of instances do so, each at its own interval; a lock
 * spares work, and recover.lua alone decides who is dead and that each orphan is put back once.
 */
import {
  type Component,
  type Logger,
  openConnection,
  pause,
  type RedisLocation,
  silentLogger,
  TsqError,
} from '@tsq/core';
import { type Instance, type InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { Absence } from './absence.js';
import { isRefusal, wantsNewConnection } from './connection-errors.js';
import { whenReadyUnless } from './ready.js';
import { recover } from './recover.js';
import { releaseLock, takeLock } from './recovery-lock.js';
import { type RecovererSettings, recovererSettings } from './settings.js';

export interface RecovererOptions extends Partial<RecovererSettings> {
  readonly location: RedisLocation;
  /** Who recovers. It never takes itself for dead; what it held under an id that has lapsed it recovers as any other's. */
  readonly instance: Instance;
  readonly keyspace?: Keyspace;
  readonly logger?: Logger;
}

/** What one pass did for one dead instance. */
export interface RecoveredInstance {
  readonly instance: InstanceId;
  /** Jobs put back on their queues. */
  readonly recovered: number;
  /** Claims whose payload was gone. */
  readonly missing: number;
  /** Claims that it holds still: a key is in the way, or the recoverer was stopped. */
  readonly remaining: number;
  readonly durationMs: number;
}

export type RecoveredListener = (report: RecoveredInstance) => void;

/** Since the start of the process. */
export interface RecovererCounts {
  /** Passes that looked; those which found the lock held are not among them. */
  readonly passes: number;
  /** Passes that failed, because Redis was away or refused. */
  readonly failures: number;
  /** Instances that this one declared dead. */
  readonly deaths: number;
  readonly recovered: number;
  readonly missing: number;
}

interface Sum {
  declaredDead: boolean;
  recovered: number;
  missing: number;
  remaining: number;
}

export class Recoverer implements Component {
  readonly name = 'recoverer';
  private readonly settings: RecovererSettings;
  private readonly keyspace: Keyspace;
  private readonly logger: Logger;
  private readonly listeners = new Set<RecoveredListener>();
  private readonly counted = { passes: 0, failures: 0, deaths: 0, recovered: 0, missing: 0 };
  private readonly stopping = new AbortController();
  /** What was in the way at the last look, by instance; so that it is logged once, not each interval. */
  private readonly blocked = new Map<InstanceId, string>();
  private lastFailure = '';
  private redis: Redis | undefined;
  private running: Promise<void> | undefined;
  private stopped: Promise<void> | undefined;

  /** @throws TSQ_CONFIG_INVALID */
  constructor(private readonly options: RecovererOptions) {
    this.settings = recovererSettings(options);
    this.keyspace = options.keyspace ?? new Keyspace();
    this.logger = options.logger ?? silentLogger;
  }

  get counts(): RecovererCounts {
    return { ...this.counted };
  }

  onRecovered(listener: RecoveredListener): void {
    this.listeners.add(listener);
  }

  /** Resolves at once: the first pass comes after `startDelayMs`, and passes fail and go on while Redis is away. */
  async start(): Promise<void> {
    if (this.stopping.signal.aborted) {
      throw new TsqError('TSQ_COMPONENT_STOPPED', 'the recoverer was stopped; it lives once: make a new one');
    }
    if (this.redis !== undefined) return;
    const name = `tsq:${this.options.instance.id}:recovery`;
    this.redis = openConnection(this.options.location, { name, logger: this.logger });
    const absence = new Absence(this.redis, this.settings.heartbeatTtlMs, (awayMs) =>
      this.onLongAbsence(awayMs),
    );
    this.running = this.run(this.redis, absence);
  }

  async quiet(): Promise<void> {
    // Passes go on: others may fetch what is put back.
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.stopped ??= this.end(deadline);
    return this.stopped;
  }

  private async run(redis: Redis, absence: Absence): Promise<void> {
    const { signal } = this.stopping;
    await pause(this.settings.startDelayMs, signal);
    while (!signal.aborted) {
      await this.tryPass(redis, absence);
      await pause(absence.graceLeftMs || this.settings.intervalMs, signal);
    }
  }

  private async tryPass(redis: Redis, absence: Absence): Promise<void> {
    try {
      await whenReadyUnless(this.stopping.signal, redis);
      if (absence.graceLeftMs > 0) return;
      absence.asking();
      await this.passUnderLock(redis);
      absence.answered();
      if (this.lastFailure !== '') this.logger.info({}, 'recovery works again');
      this.lastFailure = '';
    } catch (error) {
      if (isRefusal(error) || error instanceof AggregateError) absence.answered();
      if (this.stopping.signal.aborted) return;
      this.onFailure(redis, error);
    }
  }

  private async passUnderLock(redis: Redis): Promise<void> {
    const own = this.options.instance.id;
    if ((await takeLock(redis, this.keyspace, own, this.settings.lockTtlMs)) === 'held') return;
    try {
      await this.pass(redis, own);
    } finally {
      await releaseLock(redis, this.keyspace, own);
    }
  }

  private async pass(redis: Redis, own: InstanceId): Promise<void> {
    const refused: Error[] = [];
    for (const id of await this.findDead(redis, own)) {
      if (this.stopping.signal.aborted) return;
      await this.recoverInstance(redis, id).catch((error: unknown) => {
        // One instance whose keys are broken must not keep the others from being recovered.
        if (!isRefusal(error)) throw error;
        refused.push(error);
      });
    }
    this.counted.passes += 1;
    if (refused.length > 0) throw new AggregateError(refused, refused.map(String).join('; '));
  }

  /** Those who look dead; recover.lua looks again, in the step that declares it. */
  private async findDead(redis: Redis, own: InstanceId): Promise<readonly InstanceId[]> {
    const registered = await redis.smembers(this.keyspace.instances);
    const declared = await redis.smembers(this.keyspace.deadInstances);
    const others = [...new Set([...declared, ...registered])].filter((id) => id !== own) as InstanceId[];
    for (const id of this.blocked.keys()) if (!others.includes(id)) this.blocked.delete(id);
    if (others.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const id of others) pipeline.exists(this.keyspace.instance(id));
    const replies = (await pipeline.exec()) ?? [];
    const failed = replies.find(([error]) => error !== null)?.[0];
    if (failed !== undefined && failed !== null) throw failed;
    return others.filter((_id, index) => replies[index]?.[1] === 0);
  }

  private async recoverInstance(redis: Redis, id: InstanceId): Promise<void> {
    const startedAt = performance.now();
    const sum = { declaredDead: false, recovered: 0, missing: 0, remaining: 0 };
    try {
      await this.recoverInSteps(redis, id, sum);
    } finally {
      const { declaredDead, ...moved } = sum;
      if (declaredDead) this.counted.deaths += 1;
      // Otherwise another one was faster, or nothing could move.
      if (declaredDead || moved.recovered + moved.missing > 0) {
        this.report({ instance: id, ...moved, durationMs: Math.round(performance.now() - startedAt) });
      }
    }
  }

  private async recoverInSteps(redis: Redis, id: InstanceId, sum: Sum): Promise<void> {
    const { batchSize, position } = this.settings;
    while (!this.stopping.signal.aborted) {
      const step = await recover(redis, this.keyspace, id, batchSize, position);
      if (step === 'alive') return;
      sum.declaredDead ||= step.declaredDead;
      sum.recovered += step.recovered;
      sum.missing += step.missing.length;
      sum.remaining = step.remaining;
      this.noteMissing(id, step.missing);
      this.noteBlocked(id, step.blockedBy);
      // Without progress the rest is blocked: the next pass looks again.
      if (step.remaining === 0 || step.recovered + step.missing.length === 0) return;
    }
  }

  private report(report: RecoveredInstance): void {
    this.counted.recovered += report.recovered;
    this.counted.missing += report.missing;
    const level = report.recovered + report.missing > 0 ? 'warn' : 'info';
    this.logger[level](report, `recovered ${report.recovered} jobs of a dead instance`);
    for (const listener of this.listeners) {
      try {
        listener(report);
      } catch (error) {
        this.logger.error({ err: error }, 'a listener of the recoverer failed');
      }
    }
  }

  private noteMissing(instance: InstanceId, members: readonly string[]): void {
    if (members.length === 0) return;
    this.logger.error(
      { instance, members },
      'claims of a dead instance have no payload: there is nothing to put back',
    );
  }

  private noteBlocked(instance: InstanceId, blockedBy: readonly string[]): void {
    const summary = blockedBy.join(' ');
    if (summary !== '' && summary !== this.blocked.get(instance)) {
      this.logger.error(
        { instance, blockedBy },
        'claims of a dead instance can not be put back: the key of a queue holds no list, or a member names no queue; they are kept',
      );
    }
    if (summary === '') this.blocked.delete(instance);
    else this.blocked.set(instance, summary);
  }

  private onLongAbsence(awayMs: number): void {
    const graceMs = this.settings.heartbeatTtlMs;
    this.logger.warn(
      { awayMs: Math.round(awayMs), graceMs },
      'Redis was away for long: nobody is declared dead before all had their TTL to come back',
    );
  }

  private onFailure(redis: Redis, error: unknown): void {
    this.counted.failures += 1;
    const reason = error instanceof Error ? error.message : String(error);
    if (wantsNewConnection(error)) redis.disconnect(true);
    if (reason !== this.lastFailure) {
      const { intervalMs } = this.settings;
      this.logger.warn({ err: error }, `a recovery pass failed; the next one is in ${intervalMs} ms`);
    }
    this.lastFailure = reason;
  }

  private async end(deadline: AbortSignal): Promise<void> {
    this.stopping.abort();
    const { redis } = this;
    if (redis === undefined) return;
    const cut = () => redis.disconnect();
    // A pass ends after the call that is under way; without a connection it ends now.
    if (deadline.aborted || redis.status !== 'ready') cut();
    else deadline.addEventListener('abort', cut, { once: true });
    await this.running;
    deadline.removeEventListener('abort', cut);
    cut();
  }
}
