/**
 * How soon the dead are found, against how often it is asked and how easily a slow host is taken for a dead one: three sets of
 * times for three kinds of fleet, to be chosen by one word. Any single value that is given wins over its profile's.
 */
import { describeValue, didYouMean, TsqError } from '@tsq/core';

export interface TuningTimes {
  /** Between two beats, and between two passes. */
  readonly intervalMs: number;
  /** Without a beat for so long an instance is dead. */
  readonly ttlMs: number;
  /** The lock of a recoverer that lives, yet never ends, is free after so long. */
  readonly lockTtlMs: number;
  /** Before the first pass. */
  readonly startDelayMs: number;
}

/**
 * `normal`: the default. `critical`: jobs that should not wait long when a host freezes or a network breaks. `high-churn`: pods
 * come and go all the time, often many at once.
 */
export const tuningProfiles = {
  normal: { intervalMs: 30_000, ttlMs: 90_000, lockTtlMs: 300_000, startDelayMs: 5_000 },
  critical: { intervalMs: 15_000, ttlMs: 45_000, lockTtlMs: 300_000, startDelayMs: 5_000 },
  'high-churn': { intervalMs: 10_000, ttlMs: 30_000, lockTtlMs: 600_000, startDelayMs: 10_000 },
} as const satisfies Readonly<Record<string, TuningTimes>>;

export type TuningProfile = keyof typeof tuningProfiles;

/** @throws TSQ_CONFIG_INVALID */
export function tuningTimes(profile: TuningProfile = 'normal'): TuningTimes {
  if (Object.hasOwn(tuningProfiles, profile)) return tuningProfiles[profile];
  const names = Object.keys(tuningProfiles);
  const hint = typeof profile === 'string' ? didYouMean(profile, names) : '';
  throw new TsqError(
    'TSQ_CONFIG_INVALID',
    `profile: expected one of ${names.join(', ')}, got ${describeValue(profile)}${hint}`,
  );
}
