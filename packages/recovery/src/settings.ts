/** The settings of heartbeat and recoverer, with their defaults, checked before anything is started. */
import { type DeadSetLimits, type Dialect, sidekiqDeadSet, TsqError } from '@tsq/core';
import type { DeadOption } from './bury-poison.js';
import { maxJobsPerStep, type OrphanPosition } from './recover.js';
import { type TuningProfile, tuningTimes } from './tuning-profile.js';

/** What a profile gives, each of its values can be given alone, and then wins. */
export interface Profiled {
  /** Default `normal`, whose times are the defaults below. */
  readonly profile?: TuningProfile | undefined;
}

export interface HeartbeatSettings {
  /** Between two beats. Default 30,000. */
  readonly intervalMs: number;
  /** Without a beat for so long an instance is dead. At least two intervals. Default 90,000. */
  readonly ttlMs: number;
  /**
   * The event loop stands still for so long, and the thread sends no more beats: after its TTL the others recover the jobs.
   * 0: never, for a job that blocks is no death. Default 0.
   */
  readonly stallTimeoutMs: number;
}

export interface RecovererSettings {
  /** Between two passes. Default 30,000. */
  readonly intervalMs: number;
  /** The lock of a recoverer that lives, yet never ends, is free after so long. Default 300,000. */
  readonly lockTtlMs: number;
  /**
   * Between two looks at the connections of the others, by which a killed process is found within 5 s; 0: none, and only
   * heartbeats count. Default 1,500, or half of a `heartbeatTtlMs` that is shorter than two of them.
   */
  readonly watchIntervalMs: number;
  /** Before the first pass. Default 5,000. */
  readonly startDelayMs: number;
  /** The TTL of the fleet's heartbeats: what all get to come back in after Redis was away. Default 90,000. */
  readonly heartbeatTtlMs: number;
  /**
   * Between two looks for instances of the tracker gem, which share the namespace and register nowhere: each goes through the
   * keyspace with SCAN. 0: none. Default 60,000 in a namespace of the gem's, else 0.
   */
  readonly gemScanIntervalMs: number;
  /** For so long an instance of the gem must be seen without a heartbeat before its jobs are put back. Default 30,000. */
  readonly gemGraceMs: number;
  /** Jobs put back by one call, 1 to 500. Default 100: Redis serves nobody else meanwhile. */
  readonly batchSize: number;
  /** Where orphans join their queue. Default `next`. */
  readonly position: OrphanPosition;
  /** What the dead set keeps when a poison job joins it. Default Sidekiq's. */
  readonly dead: DeadSetLimits;
  /** The option `dead` of a class, where this process knows it. A poison job of one that says false is dropped. Default: unknown. */
  readonly deadOption?: DeadOption | undefined;
  /** How `failed_at` of a poison job is written. Default `seconds`. */
  readonly dialect: Dialect;
}

/** What a timer of Node can wait; beyond it, it does not wait at all. */
const longestMs = 2 ** 31 - 1;

/** @throws TSQ_CONFIG_INVALID */
export function heartbeatSettings(given: Partial<HeartbeatSettings> & Profiled): HeartbeatSettings {
  const times = tuningTimes(given.profile);
  const { intervalMs = times.intervalMs, ttlMs = times.ttlMs, stallTimeoutMs = 0 } = given;
  checkWhole('heartbeat.stallTimeoutMs', stallTimeoutMs, 0, longestMs);
  checkWhole('heartbeat.intervalMs', intervalMs, 1, longestMs);
  checkWhole('heartbeat.ttlMs', ttlMs, 1, longestMs);
  if (ttlMs < 2 * intervalMs) {
    throw new TsqError(
      'TSQ_CONFIG_INVALID',
      `heartbeat.ttlMs: expected at least two intervals (${2 * intervalMs}), so that one late beat is not taken for a death; got ${ttlMs}`,
    );
  }
  return { intervalMs, ttlMs, stallTimeoutMs };
}

/** Of both generations of the tracker gem: sidekiq-processing-tracker's default, and sidekiq-assured-jobs'. */
export function isGemNamespace(namespace: string): boolean {
  return namespace === 'sidekiq_processing' || namespace === 'sidekiq_assured_jobs';
}

/** The event loop may stand still for so long: shorter than two beats, long enough not to be a collection of garbage. */
export function stallMsOf({ intervalMs }: Pick<HeartbeatSettings, 'intervalMs'>): number {
  return Math.min(5_000, Math.max(500, intervalMs));
}

/** @throws TSQ_CONFIG_INVALID */
export function recovererSettings(given: Partial<RecovererSettings> & Profiled): RecovererSettings {
  const profile = tuningTimes(given.profile);
  const { intervalMs = profile.intervalMs, lockTtlMs = profile.lockTtlMs } = given;
  const { startDelayMs = profile.startDelayMs, heartbeatTtlMs = profile.ttlMs } = given;
  const { batchSize = 100, position = 'next' } = given;
  const { gemScanIntervalMs = 0, gemGraceMs = 30_000 } = given;
  const {
    watchIntervalMs = defaultWatchMs(heartbeatTtlMs),
    dead = sidekiqDeadSet,
    dialect = 'seconds',
  } = given;
  checkWhole('recovery.intervalMs', intervalMs, 1, longestMs);
  checkWhole('recovery.lockTtlMs', lockTtlMs, 1, longestMs);
  checkWhole('recovery.startDelayMs', startDelayMs, 0, longestMs);
  checkWhole('recovery.watchIntervalMs', watchIntervalMs, 0, longestMs);
  checkWhole('recovery.heartbeatTtlMs', heartbeatTtlMs, 1, longestMs);
  checkWhole('recovery.gemScanIntervalMs', gemScanIntervalMs, 0, longestMs);
  checkWhole('recovery.gemGraceMs', gemGraceMs, 0, longestMs);
  if (watchIntervalMs >= heartbeatTtlMs) {
    throw new TsqError(
      'TSQ_CONFIG_INVALID',
      `recovery.watchIntervalMs: expected less than the TTL of the heartbeats (${heartbeatTtlMs}), which finds the dead in that time by itself, or 0 for no looks at all; got ${watchIntervalMs}`,
    );
  }
  checkWhole('recovery.batchSize', batchSize, 1, maxJobsPerStep);
  if (position !== 'next' && position !== 'last') {
    throw new TsqError('TSQ_CONFIG_INVALID', `recovery.position: expected next or last, got ${position}`);
  }
  const times = {
    intervalMs,
    lockTtlMs,
    watchIntervalMs,
    startDelayMs,
    heartbeatTtlMs,
    gemScanIntervalMs,
    gemGraceMs,
  };
  return { ...times, batchSize, position, dead, dialect, deadOption: given.deadOption };
}

/** A fleet with a short TTL needs no setting more: only a look that is asked for can be too rare. */
function defaultWatchMs(heartbeatTtlMs: number): number {
  return Math.max(1, Math.min(1_500, Math.floor(heartbeatTtlMs / 2)));
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new TsqError(
    'TSQ_CONFIG_INVALID',
    `${name}: expected a whole number from ${least} to ${most}, got ${value}`,
  );
}
