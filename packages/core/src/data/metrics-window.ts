/** The stretches of time that a query reads, each with its keys in both forms, the earliest first. */
import { metricsForms, metricsTtlSeconds } from '../metric-keys.js';

export interface Bucket {
  /** When it begins. */
  readonly at: Date;
  /** In the form of Sidekiq 7, and in that of 8. */
  readonly keys: readonly [readonly string[], readonly string[]];
}

const minuteMs = 60_000;
const { sidekiq7, sidekiq8 } = metricsForms;

export function minuteBuckets(nowMs: number, minutes: number): readonly Bucket[] {
  return back(nowMs, minuteMs, minutes).map((at) => ({
    at,
    keys: [[sidekiq7.minute(at)], [sidekiq8.minute(at)]],
  }));
}

/** Sidekiq 7 keeps no stretches of ten minutes: they are made of its minutes, as long as it keeps those. */
export function hourBuckets(nowMs: number, hours: number): readonly Bucket[] {
  const minutesFrom = nowMs - metricsTtlSeconds.minute * 1_000;
  return back(nowMs, 10 * minuteMs, hours * 6).map((at) => {
    const minutes = Array.from({ length: 10 }, (_, index) => new Date(at.getTime() + index * minuteMs));
    const kept = minutes.filter((minute) => minute.getTime() >= minutesFrom);
    return { at, keys: [kept.map(sidekiq7.minute), [sidekiq8.tenMinutes?.(at) ?? ''].filter(Boolean)] };
  });
}

function back(nowMs: number, strideMs: number, count: number): readonly Date[] {
  const last = Math.floor(nowMs / strideMs) * strideMs;
  return Array.from({ length: count }, (_, index) => new Date(last - (count - 1 - index) * strideMs));
}
