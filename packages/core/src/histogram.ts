/**
 * The histogram of a class' execution times in one minute, as Sidekiq stores it: 26 counters of 16 bits, big-endian, in one
 * string. Writer and reader must agree about the bounds, so they stand here once.
 */

/** In milliseconds; a time belongs to the first bucket whose bound is greater. The 26th bucket has no bound. */
const boundsMs: readonly number[] = [
  20, 30, 45, 65, 100, 150, 225, 335, 500, 750, 1_100, 1_700, 2_500, 3_800, 5_750, 8_500, 13_000, 20_000,
  30_000, 45_000, 65_000, 100_000, 150_000, 225_000, 335_000,
];

export const histogramBuckets: number = boundsMs.length + 1;

/** Position of the bucket that a time belongs to. */
export function histogramBucket(durationMs: number): number {
  let at = 0;
  while (durationMs >= (boundsMs[at] ?? Number.POSITIVE_INFINITY)) at += 1;
  return at;
}

/** Adds the counters of one stored string. A shorter one ends in zeros. */
export function addHistogram(buckets: number[], stored: Buffer): void {
  const whole = Math.min(buckets.length, stored.length >> 1);
  for (let at = 0; at < whole; at += 1) buckets[at] = (buckets[at] ?? 0) + stored.readUInt16BE(at * 2);
}

/**
 * The time that so large a part of the executions stayed below, in milliseconds: within its bucket by proportion, so as exact
 * as the buckets are narrow. What lies in the last bucket is told as its lower bound. undefined when nothing was counted.
 * @param part more than 0, at most 1
 */
export function percentileMs(buckets: readonly number[], part: number): number | undefined {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let below = 0;
  for (const [at, count] of buckets.entries()) {
    if (below + count >= total * part && count > 0) return withinBucket(at, (total * part - below) / count);
    below += count;
  }
  return boundsMs.at(-1);
}

function withinBucket(at: number, share: number): number {
  const lower = boundsMs[at - 1] ?? 0;
  const upper = boundsMs[at] ?? lower;
  return lower + (upper - lower) * share;
}
