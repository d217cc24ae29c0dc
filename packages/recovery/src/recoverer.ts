/**
 * Looks for dead instances and puts back what they held. Any number of instances do so, each at its own interval; a lock
 * spares work, and recover.lua alone decides who is dead and that each orphan is put back once.
 *
 * Two rules say who may be dead: the heartbeat that ran out, looked at by passes (census.ts), and the connections that were
 * closed, looked at each second or two (watch.ts).
 */
import {
  type Component,
  type ConnectionReporter,
  failureKind,
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
import { takeCensus } from './census.js';
import { isRefusal, servesCommands, wantsNewConnection } from './connection-errors.js';
import { GemFleet } from './gem-fleet.js';
import {
  type DeathListener,
  type DeathRule,
  OrphanRecovery,
  type PoisonListener,
  type RecoveredListener,
} from './orphan-recovery.js';
import { whenReadyUnless } from './ready.js';
import { RecoveryHistory } from './recovery-history.js';
import { releaseLock, takeLock } from './recovery-lock.js';
import { isGemNamespace, type Profiled, type RecovererSettings, recovererSettings } from './settings.js';
import { Watch } from './watch.js';

export interface RecovererOptions extends Partial<RecovererSettings>, Profiled {
  readonly location: RedisLocation;
  /** Who recovers. It never takes itself for dead; what it held under an id that has lapsed it recovers as any other's. */
  readonly instance: Instance;
  readonly keyspace?: Keyspace;
  readonly logger?: Logger;
  /** Who speaks for all the connections of the process. Default: each connection for itself. */
  readonly report?: ConnectionReporter;
}

/** Since the start of the process. */
export interface RecovererCounts {
  /** Passes that looked; those which found the lock held are not among them. */
  readonly passes: number;
  /** Looks at the connections of the fleet; those in another's turn are not among them. */
  readonly looks: number;
  /** Passes and looks that failed, because Redis was away or refused. */
  readonly failures: number;
  /** Instances that this one declared dead. */
  readonly deaths: number;
  readonly recovered: number;
  readonly missing: number;
  /** Jobs that had killed their process once too often, and that this one put into the dead set, or dropped. */
  readonly poison: number;
}

type Work = 'pass' | 'look' | 'gem';

/** What a failure of each means; the number is the interval of passes. */
const failureOf: Readonly<Record<Work, (intervalMs: number) => string>> = {
  pass: (intervalMs) => `a recovery pass failed; the next one is in ${intervalMs} ms`,
  look: () =>
    'a look at the connections of the others failed; until one goes through, the dead are found by their heartbeats alone',
  gem: () => 'a look for instances of the tracker gem failed; it is tried again',
};

/** Between two tries of what is due and could not be done. */
const shortestPauseMs = 50;

export class Recoverer implements Component {
  readonly name = 'recoverer';
  private readonly settings: RecovererSettings;
  private readonly keyspace: Keyspace;
  private readonly logger: Logger;
  private readonly counted = { passes: 0, looks: 0, failures: 0 };
  private readonly stopping = new AbortController();
  private readonly orphans: OrphanRecovery;
  /** Found dead by their connections, while the gem that shares the namespace had the lock. */
  private postponed: readonly InstanceId[] = [];
  private readonly history: RecoveryHistory;
  private readonly lastFailures = new Map<Work, string>();
  /** Of which the log says that it fails. */
  private readonly said = new Set<Work>();
  private redis: Redis | undefined;
  private running: Promise<void> | undefined;
  private stopped: Promise<void> | undefined;

  /** @throws TSQ_CONFIG_INVALID */
  constructor(private readonly options: RecovererOptions) {
    this.keyspace = options.keyspace ?? new Keyspace();
    const gemScanIntervalMs = isGemNamespace(this.keyspace.namespace) ? 60_000 : 0;
    this.settings = recovererSettings({ gemScanIntervalMs, ...options });
    this.logger = options.logger ?? silentLogger;
    const { keyspace, settings, logger } = this;
    this.orphans = new OrphanRecovery({ keyspace, settings, logger, signal: this.stopping.signal });
    this.history = new RecoveryHistory(keyspace);
    this.onRecovered((report) => this.history.add(report, options.instance.id));
  }

  get counts(): RecovererCounts {
    return { ...this.counted, ...this.orphans.counts };
  }

  /** Called when this instance has declared another one dead, before the rest of its jobs goes back. */
  onDeath(listener: DeathListener): void {
    this.orphans.onDeath(listener);
  }

  onRecovered(listener: RecoveredListener): void {
    this.orphans.onRecovered(listener);
  }

  /** Called for each job that this instance has taken out of the line for good, once Redis has confirmed it. */
  onPoison(listener: PoisonListener): void {
    this.orphans.onPoison(listener);
  }

  /** Resolves at once: the first pass comes after `startDelayMs`, and passes fail and go on while Redis is away. */
  async start(): Promise<void> {
    if (this.stopping.signal.aborted) {
      throw new TsqError('TSQ_COMPONENT_STOPPED', 'the recoverer was stopped; it lives once: make a new one');
    }
    if (this.redis !== undefined) return;
    const connectionName = `tsq:${this.options.instance.id}:recovery`;
    const { location, report } = this.options;
    const redis = openConnection(location, { name: connectionName, logger: this.logger, report });
    const absence = new Absence(redis, this.settings.heartbeatTtlMs, (awayMs) => this.onLongAbsence(awayMs));
    const { keyspace, logger, stopping } = this;
    const { watchIntervalMs: intervalMs } = this.settings;
    const { instance } = this.options;
    const common = { redis, keyspace, instance, logger, signal: stopping.signal };
    const watch = intervalMs === 0 ? undefined : new Watch({ ...common, connectionName, intervalMs });
    const { settings, orphans } = this;
    const gem = this.isShared ? new GemFleet({ ...common, settings, orphans }) : undefined;
    this.redis = redis;
    this.running = this.run(redis, absence, watch, gem);
  }

  async quiet(): Promise<void> {
    // Passes go on: others may fetch what is put back.
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.stopped ??= this.end(deadline);
    return this.stopped;
  }

  /** The tracker gem has instances in this namespace, or may have. */
  private get isShared(): boolean {
    return this.settings.gemScanIntervalMs > 0;
  }

  /** Looks and passes take turns on one connection; each waits for its own time. */
  private async run(
    redis: Redis,
    absence: Absence,
    watch: Watch | undefined,
    gem: GemFleet | undefined,
  ): Promise<void> {
    const { signal } = this.stopping;
    let passAtMs = performance.now() + this.settings.startDelayMs;
    while (!signal.aborted) {
      if (watch !== undefined) await this.attempt('look', redis, absence, () => this.look(redis, watch));
      if (performance.now() >= passAtMs) {
        await this.attempt('pass', redis, absence, () => this.passUnderLock(redis));
        passAtMs = performance.now() + (absence.graceLeftMs || this.settings.intervalMs);
      }
      if (gem !== undefined && performance.now() >= gem.dueAtMs) {
        await this.attempt('gem', redis, absence, () => gem.step());
      }
      const untilPassMs = Math.max(0, passAtMs - performance.now());
      const untilGemMs =
        gem === undefined ? untilPassMs : Math.max(shortestPauseMs, gem.dueAtMs - performance.now());
      await pause(Math.min(untilPassMs, untilGemMs, watch?.intervalMs ?? untilPassMs), signal);
    }
    await gem?.stop().catch((error: unknown) => {
      this.logger.debug({ err: error }, 'the turn at looking for the gem was not given back: it expires');
    });
  }

  private async attempt(work: Work, redis: Redis, absence: Absence, run: () => Promise<void>): Promise<void> {
    try {
      await whenReadyUnless(this.stopping.signal, redis);
      if (absence.graceLeftMs > 0) return;
      absence.asking();
      await run();
      absence.answered();
      this.onSuccess(work);
    } catch (error) {
      if (servesCommands(error)) absence.answered();
      if (this.stopping.signal.aborted) return;
      this.onFailure(redis, work, error);
    }
  }

  /** The look at the connections. All of the fleet take turns, and it is one turn for all. */
  private async look(redis: Redis, watch: Watch): Promise<void> {
    const own = this.options.instance.id;
    if ((await takeLock(redis, this.keyspace, 'watch', own, watch.turnMs)) === 'held') return;
    // Who lapses with most of the fleet must be noted while they are away: the first of them are back soon.
    await this.takeCensus(redis, own);
    await this.recoverCondemned(redis, await watch.look());
    await this.history.note(redis, own);
    this.counted.looks += 1;
  }

  /** The gem reads payloads, and deletes and pushes them in later steps: what it may be reading is left alone meanwhile. */
  private async recoverCondemned(redis: Redis, condemned: readonly InstanceId[]): Promise<void> {
    if (!this.isShared) {
      await this.recoverAll(redis, condemned, 'connections');
      return;
    }
    const all = [...new Set([...this.postponed, ...condemned])];
    if (all.length === 0) return;
    const done = await this.underLock(redis, () => this.recoverAll(redis, all, 'connections'));
    this.postponed = done === 'held' ? all : [];
  }

  private async passUnderLock(redis: Redis): Promise<void> {
    await this.underLock(redis, () => this.pass(redis, this.options.instance.id));
  }

  private async underLock(redis: Redis, work: () => Promise<void>): Promise<'done' | 'held'> {
    const own = this.options.instance.id;
    const { lockTtlMs } = this.settings;
    const sharing = this.isShared ? 'with-gem' : 'own';
    if ((await takeLock(redis, this.keyspace, 'recoveryLock', own, lockTtlMs, sharing)) === 'held')
      return 'held';
    try {
      await work();
      return 'done';
    } finally {
      await releaseLock(redis, this.keyspace, own);
    }
  }

  private async pass(redis: Redis, own: InstanceId): Promise<void> {
    const dead = await this.takeCensus(redis, own);
    this.orphans.forgetAllBut(dead);
    await this.recoverAll(redis, dead, 'heartbeat');
    await this.history.notePass(redis, own, this.settings.intervalMs);
    this.counted.passes += 1;
  }

  private async takeCensus(redis: Redis, own: InstanceId): Promise<readonly InstanceId[]> {
    const graceMs = this.settings.heartbeatTtlMs;
    const { dead, granted } = await takeCensus(redis, this.keyspace, own, graceMs);
    if (granted > 0) {
      this.logger.warn(
        { instances: granted, graceMs },
        'more than half of the instances lost their heartbeat at once: none of them is declared dead before they had their TTL to come back',
      );
    }
    return dead;
  }

  private async recoverAll(redis: Redis, dead: readonly InstanceId[], rule: DeathRule): Promise<void> {
    const refused: Error[] = [];
    for (const id of dead) {
      if (this.stopping.signal.aborted) return;
      await this.orphans.run(redis, id, rule).catch((error: unknown) => {
        // One instance whose keys are broken must not keep the others from being recovered.
        if (!isRefusal(error)) throw error;
        refused.push(error);
      });
    }
    if (refused.length > 0) throw new AggregateError(refused, refused.map(String).join('; '));
  }

  private onLongAbsence(awayMs: number): void {
    const graceMs = this.settings.heartbeatTtlMs;
    this.logger.warn(
      { awayMs: Math.round(awayMs), graceMs },
      'Redis was away for long: nobody is declared dead before all had their TTL to come back',
    );
  }

  /** Logged once for each reason, not for each try. */
  private onFailure(redis: Redis, work: Work, error: unknown): void {
    this.counted.failures += 1;
    const reason = error instanceof Error ? error.message : String(error);
    if (wantsNewConnection(error)) redis.disconnect(true);
    if (reason !== this.lastFailures.get(work)) {
      const what = failureOf[work](this.settings.intervalMs);
      // That Redis is away its connections say.
      if (failureKind(error) === 'away') this.logger.debug({ err: error }, what);
      else this.logger.warn({ err: error }, what);
    }
    if (failureKind(error) !== 'away') this.said.add(work);
    this.lastFailures.set(work, reason);
  }

  private onSuccess(work: Work): void {
    this.lastFailures.delete(work);
    if (this.said.delete(work)) this.logger.info({ work }, 'recovery works again');
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
