/** Adds what this process counted to Sidekiq's statistics: the totals, and those of the day (UTC), kept for five years. */
import { keys } from '@tsq/core';
import type { Redis } from 'ioredis';
import type { JobCounts, JobStats } from './job-stats.js';

const dayTtlSeconds = 157_680_000;

/**
 * Writes nothing when nothing was counted. What could not be written is counted again at the next flush; of a flush whose
 * reply was lost, as in Sidekiq, that may be twice.
 * @throws what the connection throws, or the first error of a key of the wrong type
 */
export async function flushStats(redis: Redis, stats: JobStats, nowMs: number): Promise<void> {
  const counts = stats.take();
  if (counts.processed === 0 && counts.failed === 0) return;
  let errors: readonly (Error | null)[];
  try {
    errors = await add(redis, counts, new Date(nowMs).toISOString().slice(0, 10));
  } catch (error) {
    stats.restore(counts);
    throw error;
  }
  const [processed, failed] = errors;
  // A transaction does not roll back: only what was not added comes again.
  stats.restore({ processed: processed ? counts.processed : 0, failed: failed ? counts.failed : 0 });
  const first = errors.find((error) => error !== null);
  if (first) throw first;
}

/** The errors, first those of the two totals. */
async function add(redis: Redis, counts: JobCounts, day: string): Promise<readonly (Error | null)[]> {
  const replies = await redis
    .multi()
    .incrby(keys.processed, counts.processed)
    .incrby(keys.failed, counts.failed)
    .incrby(keys.processedOn(day), counts.processed)
    .expire(keys.processedOn(day), dayTtlSeconds)
    .incrby(keys.failedOn(day), counts.failed)
    .expire(keys.failedOn(day), dayTtlSeconds)
    .exec();
  return (replies ?? []).map(([error]) => error);
}
