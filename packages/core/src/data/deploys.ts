/** Marks of deploys, which the Metrics page draws into its graphs: one hash for each day (UTC), kept for 90 days. */
import type { Redis } from 'ioredis';
import { TsqError } from '../errors.js';
import { marksKey, metricsTtlSeconds } from '../metric-keys.js';
import { redisTimeMs } from './redis-time.js';
import { repliesOf } from './replies.js';

/** Every process of a deploy may say so: within this time one of them is heard. */
const guardSeconds = 60;
const minuteMs = 60_000;
const dayMs = 86_400_000;

export interface DeployMark {
  /** To the minute. */
  readonly at: Date;
  readonly label: string;
}

/** What the connection throws, each method throws. */
export class Deploys {
  constructor(private readonly redis: Redis) {}

  /**
   * Marks the minute. Of several marks with one label within a minute, and of several labels in one minute, the first stays.
   * @param label what was deployed: a commit, a version
   * @param at now, by Redis' clock, when it is not given
   * @returns `known`: this label was marked within the last minute, and nothing was written
   * @throws TSQ_DEPLOY_INVALID
   */
  async mark(label: string, at?: Date): Promise<'marked' | 'known'> {
    if (typeof label !== 'string' || label === '') {
      throw new TsqError('TSQ_DEPLOY_INVALID', 'a deploy: expected a label that is not empty, got none');
    }
    const minute = startOfMinute(at?.getTime() ?? (await redisTimeMs(this.redis)));
    const stamp = stampOf(minute);
    const won = await this.redis.set(`deploylock-${label}`, stamp, 'EX', guardSeconds, 'NX');
    if (won === null) return 'known';
    const key = marksKey(minute);
    await repliesOf(this.redis.multi().hsetnx(key, stamp, label).expire(key, metricsTtlSeconds.marks));
    return 'marked';
  }

  /** Those of the days that `from` and `to` touch which lie between them, the earliest first. */
  async between(from: Date, to: Date): Promise<readonly DeployMark[]> {
    const commands = this.redis.pipeline();
    for (const day of daysBetween(from, to)) commands.hgetall(marksKey(day));
    const marks = (await repliesOf(commands)).flatMap(marksOf);
    return marks
      .filter(({ at }) => at >= startOfMinute(from.getTime()) && at <= to)
      .sort((one, other) => one.at.getTime() - other.at.getTime());
  }

  /** Those of one day in UTC, the earliest first. */
  list(day: Date): Promise<readonly DeployMark[]> {
    const from = Math.floor(day.getTime() / dayMs) * dayMs;
    return this.between(new Date(from), new Date(from + dayMs - 1));
  }
}

function startOfMinute(epochMs: number): Date {
  const minute = new Date(Math.floor(epochMs / minuteMs) * minuteMs);
  if (!Number.isNaN(minute.getTime())) return minute;
  throw new TsqError('TSQ_DEPLOY_INVALID', 'a deploy: expected a Date, got an invalid one');
}

/** 2026-11-23T20:46:00Z */
function stampOf(minute: Date): string {
  return minute.toISOString().replace('.000', '');
}

function daysBetween(from: Date, to: Date): readonly Date[] {
  const days: Date[] = [];
  for (let day = Math.floor(from.getTime() / dayMs) * dayMs; day <= to.getTime(); day += dayMs) {
    days.push(new Date(day));
  }
  return days;
}

/** @param reply of HGETALL: minute -> label */
function marksOf(reply: unknown): readonly DeployMark[] {
  if (typeof reply !== 'object' || reply === null) return [];
  return Object.entries(reply)
    .map(([stamp, label]) => ({ at: new Date(stamp), label: String(label) }))
    .filter(({ at }) => !Number.isNaN(at.getTime()));
}
