/** The counters by day. Workers write them under the day in UTC, and they are kept for five years. */
import type { Redis } from 'ioredis';
import { TsqError } from '../errors.js';
import { keys } from '../keys.js';
import { redisTimeMs } from './redis-time.js';

const mostDays = 5 * 365;
const dayMs = 86_400_000;

export class StatsHistory {
  /**
   * @param days how many, 1 to 1825, back from `lastDay`, which is one of them
   * @param lastDay `YYYY-MM-DD`; by default today, in UTC, by Redis' clock
   * @throws TSQ_STATS_DAYS_INVALID
   */
  constructor(
    private readonly redis: Redis,
    private readonly days: number,
    private readonly lastDay?: string,
  ) {
    if (!Number.isInteger(days) || days < 1 || days > mostDays) {
      throw invalidDays(`expected 1 to ${mostDays} days, got ${days}`);
    }
    if (lastDay !== undefined && !isDay(lastDay)) {
      throw invalidDays(`expected a day as YYYY-MM-DD, got ${JSON.stringify(lastDay)}`);
    }
  }

  /** Executions that ended, by `YYYY-MM-DD`, the last day first; 0 for a day without any. @throws what the connection throws */
  processed(): Promise<ReadonlyMap<string, number>> {
    return this.counts(keys.processedOn);
  }

  /** Executions that threw, in the same form. @throws what the connection throws */
  failed(): Promise<ReadonlyMap<string, number>> {
    return this.counts(keys.failedOn);
  }

  private async counts(keyOf: (day: string) => string): Promise<ReadonlyMap<string, number>> {
    const last = this.lastDay === undefined ? await redisTimeMs(this.redis) : Date.parse(this.lastDay);
    const days = Array.from({ length: this.days }, (_, back) => dayOf(last - back * dayMs));
    const counts = await this.redis.mget(days.map(keyOf));
    return new Map(days.map((day, at) => [day, Number.parseInt(counts[at] ?? '0', 10) || 0]));
  }
}

function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** 2026-02-30 has the form and is none. */
function isDay(text: string): boolean {
  const epochMs = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(epochMs) && dayOf(epochMs) === text;
}

function invalidDays(problem: string): TsqError {
  return new TsqError('TSQ_STATS_DAYS_INVALID', `statistics by day: ${problem}; five years are kept`);
}
