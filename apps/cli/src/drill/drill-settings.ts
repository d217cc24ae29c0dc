/** What a drill is asked to do, and how long that may take. */
import { randomBytes } from 'node:crypto';
import type { RedisLocation } from '@tsq/core';
import type { TuningProfile } from '@tsq/recovery';

export interface DrillSettings {
  readonly location: RedisLocation;
  readonly jobs: number;
  /** Of each of the two workers. */
  readonly concurrency: number;
  readonly jobSeconds: number;
  /** Decides about what the others leave open: the recovery lock, and the first pass. */
  readonly profile: TuningProfile;
  readonly heartbeatIntervalSeconds: number;
  readonly heartbeatTtlSeconds: number;
  readonly recoveryIntervalSeconds: number;
  readonly fastDetection: boolean;
}

/** Queue, namespace and host of the drill are called so: what it leaves behind can be told from all else by its name. */
export type DrillName = string & { readonly brand: 'DrillName' };

const drillNamePattern = /^tsq-drill-[0-9a-f]{16}$/;

export function newDrillName(): DrillName {
  return `tsq-drill-${randomBytes(8).toString('hex')}` as DrillName;
}

export function isDrillName(text: string): text is DrillName {
  return drillNamePattern.test(text);
}

/** From the start of the workers until a worker must be up. */
export const startWithinSeconds = 60;

/** Redis may be away for so long before a drill gives up. */
export const redisAwaySeconds = 15;

/**
 * From the kill until all jobs must have ended: the death is seen within the TTL and one interval, or a TTL later when a guard
 * holds recovery back; then one worker runs all jobs, some of them twice.
 */
export function longestSeconds(settings: DrillSettings): number {
  const { heartbeatTtlSeconds, recoveryIntervalSeconds } = settings;
  return Math.ceil(2 * heartbeatTtlSeconds + recoveryIntervalSeconds + 2 * workSeconds(settings) + 30);
}

/** What one worker alone needs for all jobs. */
export function workSeconds({ jobs, concurrency, jobSeconds }: DrillSettings): number {
  return (Math.ceil(jobs / concurrency) + 1) * jobSeconds;
}
