/**
 * What the classes of a fleet did, from the counters that its processes write: Sidekiq 7, Sidekiq 8, and tsq.
 *
 * A process may write its counts in both forms, so the two are never added up: for each class and stretch of time the form
 * that knows of more executions is believed. That is exact while a class' processes all write one form; where processes of
 * Sidekiq 7 and of 8 run one class in one minute, it shows those of one of them.
 */
import type { Redis } from 'ioredis';
import { TsqError } from '../errors.js';
import { addHistogram, histogramBuckets, percentileMs } from '../histogram.js';
import { metricsForms } from '../metric-keys.js';
import { type Counts, type CountsByClass, classCounts, countsOf } from './metrics-counts.js';
import { type Bucket, hourBuckets, minuteBuckets } from './metrics-window.js';
import { redisTimeMs } from './redis-time.js';
import { repliesOf } from './replies.js';

/** How far back, from now, by Redis' clock: minutes, 1 to 480 of them, or stretches of ten minutes, for 1 to 72 hours. */
export type MetricsWindow = { readonly minutes: number } | { readonly hours: number };

/** One minute, or ten. */
export interface MetricsPoint extends Counts {
  readonly at: Date;
}

export interface ClassMetrics extends Counts {
  /** Of the class, or of the ActiveJob that it wraps. */
  readonly name: string;
  /** Of the executions that succeeded; undefined when there are none. */
  readonly averageMs: number | undefined;
  /** The earliest first, without gaps. */
  readonly series: readonly MetricsPoint[];
}

export interface ClassDetails extends ClassMetrics {
  /**
   * Executions that succeeded, by time, in 26 buckets (`histogramBucket`); all zeros for a window in hours, for which none
   * are kept. The percentiles, undefined then, are as exact as the buckets are narrow.
   */
  readonly histogram: readonly number[];
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

const lastHour: MetricsWindow = { minutes: 60 };

/** What the connection throws, each method throws. */
export class MetricsQuery {
  constructor(private readonly redis: Redis) {}

  /**
   * Every class that ran, the one that took the most time first.
   * @throws TSQ_METRICS_WINDOW_INVALID
   */
  async topClasses(window: MetricsWindow = lastHour): Promise<readonly ClassMetrics[]> {
    const buckets = await this.buckets(window);
    const commands = this.redis.pipeline();
    for (const key of buckets.flatMap(keysOf)) commands.hgetall(key);
    const counts = gather(buckets, (await repliesOf(commands)).map(countsOf));
    const names = new Set(counts.flatMap((forms) => forms.flatMap((form) => [...form.keys()])));
    return [...names]
      .map((name) => classMetrics(name, buckets, counts))
      .sort((one, other) => other.milliseconds - one.milliseconds || other.processed - one.processed);
  }

  /**
   * One class, in detail; one that never ran has zeros.
   * @throws TSQ_METRICS_WINDOW_INVALID
   */
  async forClass(name: string, window: MetricsWindow = lastHour): Promise<ClassDetails> {
    const buckets = await this.buckets(window);
    const commands = this.redis.pipeline();
    const fields = [`${name}|p`, `${name}|f`, `${name}|ms`];
    for (const key of buckets.flatMap(keysOf)) commands.hmget(key, ...fields);
    const counts = gather(
      buckets,
      (await repliesOf(commands)).map((reply) => classCounts(name, reply)),
    );
    const histogram = 'minutes' in window ? await this.histogram(name, buckets, counts) : emptyHistogram();
    return {
      ...classMetrics(name, buckets, counts),
      histogram,
      p50Ms: percentileMs(histogram, 0.5),
      p95Ms: percentileMs(histogram, 0.95),
      p99Ms: percentileMs(histogram, 0.99),
    };
  }

  private async buckets(window: MetricsWindow): Promise<readonly Bucket[]> {
    const read = bucketsBack(window);
    return read(await redisTimeMs(this.redis));
  }

  /** Of each minute in the form that is believed for it. */
  private async histogram(
    name: string,
    buckets: readonly Bucket[],
    counts: readonly FormCounts[],
  ): Promise<readonly number[]> {
    const stored = await this.redis.mgetBuffer(
      buckets.map(({ at }, index) => {
        const form = believed(counts[index], name) === 0 ? metricsForms.sidekiq7 : metricsForms.sidekiq8;
        return form.histogram(name, at);
      }),
    );
    const sum = emptyHistogram();
    for (const bytes of stored) if (bytes !== null) addHistogram(sum, bytes);
    return sum;
  }
}

/** What each form counted in one stretch of time: that of 7, that of 8. */
type FormCounts = readonly [CountsByClass, CountsByClass];

function bucketsBack(window: MetricsWindow): (nowMs: number) => readonly Bucket[] {
  const [unit, count, most] =
    'hours' in window ? (['hours', window.hours, 72] as const) : (['minutes', window.minutes, 480] as const);
  if (!Number.isInteger(count) || count < 1 || count > most) {
    const message = `metrics: expected 1 to ${most} ${unit}, got ${count}; older ones are not kept`;
    throw new TsqError('TSQ_METRICS_WINDOW_INVALID', message);
  }
  return (nowMs) => (unit === 'hours' ? hourBuckets(nowMs, count) : minuteBuckets(nowMs, count));
}

function keysOf(bucket: Bucket): readonly string[] {
  return bucket.keys.flat();
}

/** Replies come in the order of `keysOf`. */
function gather(buckets: readonly Bucket[], replies: readonly CountsByClass[]): readonly FormCounts[] {
  let at = 0;
  const next = (keys: readonly string[]) => {
    const sum: Map<string, Counts> = new Map();
    for (const counts of replies.slice(at, at + keys.length)) {
      for (const [name, more] of counts) sum.set(name, plus(sum.get(name), more));
    }
    at += keys.length;
    return sum;
  };
  return buckets.map(({ keys: [of7, of8] }) => [next(of7), next(of8)]);
}

function classMetrics(name: string, buckets: readonly Bucket[], counts: readonly FormCounts[]): ClassMetrics {
  let total = none;
  const series = buckets.map(({ at }, index): MetricsPoint => {
    const point = counts[index]?.[believed(counts[index], name)].get(name) ?? none;
    total = plus(total, point);
    return { at, ...point };
  });
  const succeeded = total.processed - total.failed;
  return { name, ...total, averageMs: succeeded > 0 ? total.milliseconds / succeeded : undefined, series };
}

/** The position of the form that knows of more executions. */
function believed(counts: FormCounts | undefined, name: string): 0 | 1 {
  const [of7, of8] = counts ?? [];
  return (of7?.get(name)?.processed ?? 0) > (of8?.get(name)?.processed ?? 0) ? 0 : 1;
}

const none: Counts = { processed: 0, failed: 0, milliseconds: 0 };

function plus(one: Counts = none, other: Counts): Counts {
  return {
    processed: one.processed + other.processed,
    failed: one.failed + other.failed,
    milliseconds: one.milliseconds + other.milliseconds,
  };
}

function emptyHistogram(): number[] {
  return new Array<number>(histogramBuckets).fill(0);
}
