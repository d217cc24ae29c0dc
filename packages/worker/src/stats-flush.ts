/** Adds what this process counted to Sidekiq's statistics: the totals, and those of the day (UTC), kept for five years. */
import { keys } from '@tsq/core';
import type { Redis } from 'ioredis';
import type { JobStats } from './job-stats.js';
import { transaction } from './transaction.js';

const dayTtlSeconds = 157_680_000;

/**
 * Writes nothing when nothing was counted. What could not be written is counted again at the next flush; of a flush whose
 * reply was lost, as in Sidekiq, that may be twice.
 * @throws what the connection throws
 */
export async function flushStats(redis: Redis, stats: JobStats, nowMs: number): Promise<void> {
  const counts = stats.take();
  if (counts.processed === 0 && counts.failed === 0) return;
  const day = new Date(nowMs).toISOString().slice(0, 10);
  try {
    await transaction(
      redis
        .multi()
        .incrby(keys.processed, counts.processed)
        .incrby(keys.processedOn(day), counts.processed)
        .expire(keys.processedOn(day), dayTtlSeconds)
        .incrby(keys.failed, counts.failed)
        .incrby(keys.failedOn(day), counts.failed)
        .expire(keys.failedOn(day), dayTtlSeconds),
    );
  } catch (error) {
    stats.restore(counts);
    throw error;
  }
}
