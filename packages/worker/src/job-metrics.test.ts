import { describe, expect, test } from '@jest/globals';
import { JobMetrics, type MinuteMetrics } from './job-metrics.js';
import { endedJob } from './test-support/ended-job.js';

const minute = 29_924_447;
/** Half a minute before its end: a test is over long before. */
const atMinute = (number: number) => number * 60_000 + 30_000;

function metricsAt(number: number, limit?: number): JobMetrics {
  const metrics = new JobMetrics(limit);
  metrics.setTime(atMinute(number));
  return metrics;
}

const summary = (taken: readonly MinuteMetrics[]) =>
  taken.map((each) => [
    each.minute,
    Object.fromEntries([...each.classes].map(([name, of]) => [name, of.processed])),
  ]);

describe('JobMetrics', () => {
  test('counts executions, failures, and the time of those that succeeded', () => {
    const metrics = metricsAt(minute);
    metrics.count(endedJob('A', 10.25), 'passed');
    metrics.count(endedJob('A', 1_200), 'passed');
    metrics.count(endedJob('A', 99_999), 'failed');
    metrics.count(endedJob('B', 31), 'passed');
    const [taken, ...others] = metrics.take();
    expect(others).toEqual([]);
    expect(taken?.minute).toBe(minute);
    expect(taken?.classes.get('A')).toMatchObject({ processed: 3, failed: 1, milliseconds: 1_210.25 });
    const histogram = taken?.classes.get('A')?.histogram ?? [];
    expect(histogram).toHaveLength(26);
    expect([histogram[0], histogram[11], histogram.reduce((sum, count) => sum + count)]).toEqual([1, 1, 2]);
    expect(taken?.classes.get('B')?.histogram[2]).toBe(1);
    expect(metrics.take()).toEqual([]);
  });

  test('an ActiveJob goes by the class that it wraps', () => {
    const metrics = metricsAt(minute);
    metrics.count(endedJob('Sidekiq::ActiveJob::Wrapper', 1, { wrapped: 'MailJob' }), 'passed');
    metrics.count(endedJob('Odd', 1, { wrapped: 5 }), 'passed');
    expect(summary(metrics.take())).toEqual([[minute, { MailJob: 1, Odd: 1 }]]);
  });

  test('each minute is counted on its own, by the clock that was set last', () => {
    const metrics = metricsAt(minute);
    metrics.count(endedJob('A'), 'passed');
    metrics.setTime(atMinute(minute + 1));
    metrics.count(endedJob('A'), 'passed');
    metrics.setTime(atMinute(minute));
    metrics.count(endedJob('A'), 'passed');
    expect(summary(metrics.take())).toEqual([
      [minute, { A: 2 }],
      [minute + 1, { A: 1 }],
    ]);
  });

  test('the minute turns by itself', async () => {
    const metrics = new JobMetrics();
    metrics.setTime(minute * 60_000 + 59_995);
    metrics.count(endedJob('A'), 'passed');
    const until = performance.now() + 10;
    while (performance.now() < until) await new Promise(setImmediate);
    metrics.count(endedJob('A'), 'passed');
    const minutes = metrics.take().map((each) => each.minute);
    expect(minutes.at(-1)).toBe(minute + 1);
  });

  test('without a clock of Redis it goes by the own', () => {
    const metrics = new JobMetrics();
    metrics.count(endedJob('A'), 'passed');
    expect(Math.abs((metrics.take()[0]?.minute ?? 0) - Date.now() / 60_000)).toBeLessThan(2);
  });

  test('what is put back is added to what was counted meanwhile, and taken once', () => {
    const metrics = metricsAt(minute);
    metrics.count(endedJob('A', 10), 'passed');
    metrics.count(endedJob('B'), 'failed');
    const taken = metrics.take();
    metrics.count(endedJob('A', 500), 'passed');
    metrics.restore(taken);
    const [all, ...others] = metrics.take();
    expect(others).toEqual([]);
    expect(all?.classes.get('A')).toMatchObject({ processed: 2, milliseconds: 510 });
    expect(all?.classes.get('A')?.histogram.slice(0, 10)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(all?.classes.get('B')).toMatchObject({ processed: 1, failed: 1 });
    expect(metrics.take()).toEqual([]);
    expect(metrics.takeLost()).toBe(0);
  });

  test('what no reader asks for any more is not kept', () => {
    const metrics = metricsAt(minute);
    metrics.count(endedJob('A'), 'passed');
    const taken = metrics.take();
    metrics.setTime(atMinute(minute + 480));
    metrics.restore(taken);
    expect(metrics.take()).toEqual([]);
    expect([metrics.takeLost(), metrics.takeLost()]).toEqual([1, 0]);
  });

  test('over its limit it gives up the oldest minute, never one that is younger', () => {
    const metrics = metricsAt(minute, 3);
    for (const name of ['A', 'B', 'A']) metrics.count(endedJob(name), 'passed');
    metrics.setTime(atMinute(minute + 1));
    for (const name of ['A', 'B', 'C', 'D', 'D']) metrics.count(endedJob(name), 'passed');
    expect(metrics.takeLost()).toBe(5);
    const taken = metrics.take();
    expect(summary(taken)).toEqual([[minute + 1, { A: 1, B: 1, C: 1 }]]);
    metrics.restore(taken);
    metrics.setTime(atMinute(minute));
    metrics.count(endedJob('A'), 'passed');
    expect(summary(metrics.take())).toEqual([[minute + 1, { A: 1, B: 1, C: 1 }]]);
    expect(metrics.takeLost()).toBe(1);
  });
});
