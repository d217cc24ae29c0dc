/**
 * S5 over the whole road of a job that fails: whatever stands in its payload, only the keys that Sidekiq itself would
 * edit have changed when it is back in a queue. The parts are the real ones, in this process, on a real Redis.
 */
import { expect, test } from '@jest/globals';
import { type Job, MiddlewareChain, type UnitOfWork } from '@tsq/core';
import { RecordingLogger, useRedis } from '@tsq/core/test-support';
import { Instance, Keyspace, TrackingFetcher, trackingMiddleware } from '@tsq/tracker';
import { defineWorker, JobStats, Poller, Processor, RunningJobs, WorkerRegistry } from '@tsq/worker';
import fc from 'fast-check';
import { arbitraryPayload } from './arbitrary-payload.js';
import { edited, type ObjectText, objectText, rawValue } from './member-texts.js';

const queues = ['default', 'low'];
const redis = useRedis();

async function startedFetcher() {
  const instance = new Instance('bytes');
  await redis.connect().sadd(new Keyspace().instances, instance.id);
  const fetcher = new TrackingFetcher({ location: { url: redis.url }, instance });
  await fetcher.start();
  const claim = async (): Promise<UnitOfWork> => {
    const [unit] = await fetcher.fetch(queues, 1);
    if (unit === undefined) throw new Error('there is no job in the queues');
    return unit;
  };
  return { claim, [Symbol.asyncDispose]: () => fetcher.stop(AbortSignal.abort()) };
}

const failing = defineWorker('W', { tracked: true }, () => {
  throw new RangeError('no "luck"\n');
});
const processor = new Processor({
  registry: new WorkerRegistry([failing]),
  middleware: new MiddlewareChain<Job, void>()
    .add('reads', (job, next) => {
      // Whatever stands there: to look at it costs the job nothing, and changes none of its bytes.
      for (const key of ['tags', 'locale', 'displayClass'] as const) String(job[key]);
      job.currentAttributes();
      return next();
    })
    .add('tracking', trackingMiddleware()),
  ...{ running: new RunningJobs(), stats: new JobStats(), logger: new RecordingLogger() },
});

/** Of the only entry of all these keys. */
async function onlyBytes(...replies: Promise<Buffer[]>[]): Promise<Buffer> {
  const [bytes, ...others] = (await Promise.all(replies)).flat();
  expect(others).toEqual([]);
  if (bytes === undefined) throw new Error('nothing stands there');
  return bytes;
}

const textOf = (bytes: Buffer) => objectText(bytes.toString('latin1'));

function expectFailed(before: ObjectText, after: ObjectText): void {
  const isRetry = /^-?\d+$/.test(rawValue(before, 'retry_count') ?? '');
  const set = [
    ...((rawValue(before, 'retry') ?? 'null') === 'null' ? ['retry'] : []),
    ...['queue', 'error_message', 'error_class', isRetry ? 'retried_at' : 'failed_at', 'retry_count'],
    ...(['true', '2'].includes(rawValue(before, 'backtrace') ?? '') ? ['error_backtrace'] : []),
  ];
  expect(after).toMatchObject(edited(before, set, []));
  expect(rawValue(after, 'error_message')).toBe('"no \\"luck\\"\\n"');
  expect(rawValue(after, 'retry_count')).toBe(
    isRetry ? String(Number(rawValue(before, 'retry_count')) + 1) : '0',
  );
}

function expectPromoted(before: ObjectText, after: ObjectText): void {
  const set = [...(rawValue(before, 'created_at') === undefined ? ['created_at'] : []), 'enqueued_at'];
  expect(after).toMatchObject(edited(before, set, ['at']));
}

test('S5: random JSON payloads through push -> claim -> fail -> retry -> promote -> requeue keep every byte outside the edited keys', async () => {
  await using fetcher = await startedFetcher();
  const { claim } = fetcher;
  const admin = redis.connect();
  const poller = new Poller({ redis: redis.connect() });
  const queued = () => onlyBytes(...queues.map((queue) => admin.lrangeBuffer(`queue:${queue}`, 0, -1)));
  const road = fc.asyncProperty(arbitraryPayload, async (payload) => {
    await admin.del('retry', 'dead', 'queue:default', 'queue:low');
    const pushed = Buffer.from(payload, 'latin1');
    await admin.lpush('queue:default', pushed);

    expect(await (await processor.process(await claim())).settlement).toBe('settled');
    const failed = await onlyBytes(admin.zrangeBuffer('retry', '0', '-1'));
    expectFailed(textOf(pushed), textOf(failed));

    await admin.zadd('retry', 'XX', 0, failed);
    await poller.poll();
    const promoted = await queued();
    expectPromoted(textOf(failed), textOf(promoted));

    const unit = await claim();
    expect(unit.bytes).toEqual(promoted);
    expect(await unit.settle({ kind: 'requeue' })).toBe('settled');
    expect(await queued()).toEqual(promoted);
  });
  await fc.assert(road, { numRuns: 100 });
}, 60_000);
