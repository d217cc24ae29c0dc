/** tsq reads what each version of Sidekiq writes: tells its times, finds its processes, and runs and retries its jobs. */
import { describe, expect, test } from '@jest/globals';
import { ProcessSet, Queue, RetrySet, ScheduledSet, WorkSet } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { currentJob, defineWorker } from '@tsq/worker';
import { startRuntime } from '../end-to-end/runtime.js';
import { Capture } from './capture.js';

/** What stands in the captures, as a person reads them. */
const expected = {
  '6.0': { retriedAt: '2026-11-23T20:47:08.121Z', version: '', createdAt: '2026-11-23T20:42:42.496Z' },
  '6.5': { retriedAt: '2026-11-23T20:47:08.121Z', version: '', createdAt: '2026-11-23T20:42:42.496Z' },
  '7.3': { retriedAt: '2026-11-23T20:47:08.121Z', version: '7.3.9', createdAt: '2026-11-23T20:42:44.359Z' },
  '8.0': { retriedAt: '2026-11-23T20:47:08.121Z', version: '8.0.10', createdAt: '2026-11-23T20:45:24.529Z' },
  '8.1': { retriedAt: '2026-11-23T20:47:08.121Z', version: '8.1.7', createdAt: '2026-11-23T20:45:24.529Z' },
};

async function first<T>(items: AsyncIterable<T>): Promise<T> {
  for await (const item of items) return item;
  throw new Error('there is none');
}

describe.each(Capture.all())('of Sidekiq $version', (capture) => {
  const redis = useRedis();
  const wanted = expected[capture.version as keyof typeof expected];

  test('a job in its queue gives its class, jid, args and times', async () => {
    const queue = capture.text('queue');
    await redis.connect().lpush(`queue:${queue}`, capture.bytes('plain'));
    const job = await first(new Queue(redis.connect(), queue));
    const text = capture.text('plain');
    expect(job).toMatchObject({
      queue,
      jid: /"jid":"(\w+)"/.exec(text)?.[1],
      class: /"class":"([^"]+)"/.exec(text)?.[1],
    });
    expect(job.bytes).toEqual(capture.bytes('plain'));
    expect(job.createdAt?.toISOString()).toBe(wanted.createdAt);
    expect(job.enqueuedAt?.toISOString()).toBe(wanted.createdAt.replace('.496Z', '.497Z'));
  });

  test('a scheduled job is due by its score, and was made when it says', async () => {
    await redis.connect().zadd('schedule', capture.text('scheduled.score'), capture.bytes('scheduled'));
    const entry = await first(new ScheduledSet(redis.connect()));
    expect(entry).toMatchObject({ class: 'OkJob', args: ['later'], enqueuedAt: undefined });
    expect(entry.at?.toISOString()).toBe('2026-11-23T21:42:44.358Z');
    expect(entry.createdAt?.toISOString()).toBe('2026-11-23T20:42:44.358Z');
    expect(entry.id).toBe(`${capture.text('scheduled.score')}-2374d066066e50e8834d4ea2`);
  });

  test('a job in retry tells of its failures, and its backtrace line by line', async () => {
    await redis.connect().zadd('retry', capture.text('retry.score'), capture.bytes('retry'));
    const entry = await first(new RetrySet(redis.connect()));
    expect(entry).toMatchObject({
      queue: 'low',
      retryCount: 1,
      errorClass: 'RuntimeError',
      errorMessage: 'rq',
    });
    expect(entry.failedAt?.toISOString()).toBe('2026-11-23T20:46:48.899Z');
    expect(entry.retriedAt?.toISOString()).toBe(wanted.retriedAt);
    const hasBacktrace = capture.text('retry').includes('error_backtrace');
    expect(entry.errorBacktrace?.at(1)).toBe(
      hasBacktrace ? "/gems/sidekiq/lib/sidekiq/processor.rb:202:in `execute_job'" : undefined,
    );
  });

  test('a process is shown with its threads, queues and load', async () => {
    await capture.showProcess(redis.connect());
    const process = await first(new ProcessSet(redis.connect()));
    expect(process).toMatchObject({
      ...{ identity: capture.text('process'), hostname: 'vm', tag: 'mytag', labels: [] },
      ...{ concurrency: 3, busy: 1, queues: ['default', 'low'], isQuiet: false, isEmbedded: false },
      ...{ version: wanted.version, rssKibibytes: capture.has('process.rss') ? 29_068 : 0 },
    });
    expect(process.beatAt.getTime() - process.startedAt.getTime()).toBeLessThan(60_000);
  });

  test('what it runs is found, with the bytes of its payload', async () => {
    await capture.showProcess(redis.connect());
    const work = await first(new WorkSet(redis.connect()));
    const queue = capture.text('queue');
    expect(work).toMatchObject({ process: capture.text('process'), thread: 'a1b2', queue });
    expect(work.runAt.toISOString()).toBe('2026-11-23T20:46:48.000Z');
    expect(work.job.bytes).toEqual(capture.bytes('plain'));
  });

  test('its job runs, scheduled or not, and its retry is the third attempt', async () => {
    const connection = redis.connect();
    await connection.lpush('queue:default', capture.bytes('plain'));
    await connection.zadd('schedule', '1', capture.bytes('scheduled'));
    // In the queue where the runtime works; the poller goes by the payload.
    await connection.zadd('retry', '1', capture.text('retry').replace('"queue":"low"', '"queue":"default"'));
    const ran: string[] = [];
    const workers = ['OkJob', 'Foreign::Job', 'FailRQ'].map((name) =>
      defineWorker(name, {}, () => {
        const { payload, attempt } = currentJob();
        ran.push(`${name} ${payload.raw('args')} ${attempt}`);
      }),
    );
    await using runtime = await startRuntime(redis.url, workers);
    await runtime.poller.poll();
    const [name, args] = [/"class":"([^"]+)"/, /"args":(\[.*?\])(?=,"(?:class|retry|jid))/s].map(
      (pattern) => pattern.exec(capture.text('plain'))?.[1],
    );
    await eventually(() =>
      expect(new Set(ran)).toEqual(new Set([`${name} ${args} 1`, 'OkJob ["later"] 1', 'FailRQ [1,1.0] 3'])),
    );
  });
});
