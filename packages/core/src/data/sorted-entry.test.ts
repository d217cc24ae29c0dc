import { describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { useRedis } from '../test-support/index.js';
import { DeadSet } from './dead-set.js';
import type { JobSet } from './job-set.js';
import { RetrySet } from './retry-set.js';
import { ScheduledSet } from './scheduled-set.js';
import type { SortedEntry } from './sorted-entry.js';

const odd =
  '{ "class":"W","args":[1.0,1e2,12345678901234567890,"\\/\\u00e9",{"b":[],"a":{}}],"jid":"j","x":1.50,"retry":3,' +
  '"queue":"low","created_at":1.5,"enqueued_at":2.5,"error_message":"no","retry_count":0,"failed_at":3.5}';
/** Of an entry that came to a queue: the time is Redis' and not known before. */
const edited = (bytes: string | null, count: number) =>
  (bytes ?? '').replace(/"enqueued_at":\d+\.\d+/, '"enqueued_at":T') ===
  odd.replace('"enqueued_at":2.5', '"enqueued_at":T').replace('"retry_count":0', `"retry_count":${count}`);

async function first(set: JobSet): Promise<SortedEntry> {
  for await (const entry of set) return entry;
  throw new Error('there is no entry');
}

/** Everything that Redis holds of jobs: where, and how many. */
async function places(redis: Redis) {
  const [schedule, retry, dead] = await Promise.all(
    ['schedule', 'retry', 'dead'].map((key) => redis.zcard(key)),
  );
  return { schedule, retry, dead, low: await redis.llen('queue:low') };
}

describe('SortedEntry', () => {
  const server = useRedis();
  const nothing = { schedule: 0, retry: 0, dead: 0, low: 0 };

  test('retry pushes the same bytes with one retry given back, and the queue is known', async () => {
    const redis = server.connect();
    await redis.zadd('retry', 5, odd);
    expect(await (await first(new RetrySet(redis))).retry()).toBe(true);
    expect(await places(redis)).toEqual({ ...nothing, low: 1 });
    expect(edited(await redis.lindex('queue:low', 0), -1)).toBe(true);
    expect(await redis.smembers('queues')).toEqual(['low']);
  });

  test('addToQueue leaves the count, and puts the job at the back of the line', async () => {
    const redis = server.connect();
    await redis.lpush('queue:low', 'older');
    await redis.zadd('dead', 5, odd);
    expect(await (await first(new DeadSet(redis))).addToQueue()).toBe(true);
    expect(edited(await redis.lindex('queue:low', 0), 0)).toBe(true);
    expect(await redis.lindex('queue:low', -1)).toBe('older');
  });

  test('a job that lacks them gets queue, retry and created_at, in the dialect of the set; a stored at goes', async () => {
    const redis = server.connect();
    await redis.zadd('schedule', 5, '{"class":"W","args":[],"at":9.5}');
    await (await first(new ScheduledSet(redis, { dialect: 'milliseconds' }))).addToQueue();
    expect(await redis.lindex('queue:default', 0)).toMatch(
      /^\{"class":"W","args":\[\],"queue":"default","retry":true,"created_at":(\d{13}),"enqueued_at":\1\}$/,
    );
  });

  test("enqueued_at is by Redis' clock", async () => {
    const redis = server.connect();
    await redis.zadd('retry', 5, odd);
    const before = Number((await redis.time())[0]);
    await (await first(new RetrySet(redis))).retry();
    const after = Number((await redis.time())[0]) + 1;
    const { enqueued_at: at } = JSON.parse((await redis.lindex('queue:low', 0)) ?? '');
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(after);
  });

  test('kill moves the exact bytes to dead with the time of Redis, and trims it', async () => {
    const redis = server.connect();
    const [seconds] = (await redis.time()).map(Number);
    const now = seconds ?? 0;
    await redis.zadd('dead', now - 100, 'too old', now - 20, 'over the limit', now - 10, 'kept');
    await redis.zadd('retry', 5, odd);
    const entry = await first(new RetrySet(redis, { deadSet: { timeoutSeconds: 60, maxJobs: 2 } }));
    expect(await entry.kill()).toBe(true);
    expect(Math.abs(Number(await redis.zscore('dead', odd)) - now)).toBeLessThan(60);
    expect(await redis.zrange('dead', '0', '-1')).toEqual(['kept', odd]);
  });

  test('kill of an entry of dead makes it die anew', async () => {
    const redis = server.connect();
    await redis.zadd('dead', 5_000_000_000, odd);
    expect(await (await first(new DeadSet(redis))).kill()).toBe(true);
    expect(Number(await redis.zscore('dead', odd))).toBeLessThan(5_000_000_000);
    expect(await places(redis)).toEqual({ ...nothing, dead: 1 });
  });

  test('delete and reschedule touch the one of its bytes among those of its score', async () => {
    const redis = server.connect();
    const twin = odd.replace('"jid":"j"', '"jid":"k"');
    const other = odd.replace('"x":1.50', '"x":2');
    await redis.zadd('schedule', 5, odd, 5, twin, 5, other);
    const entry = await new ScheduledSet(redis).fetch('5-k');
    expect(await entry?.reschedule(1_900_000_000)).toBe(true);
    expect(await redis.zrange('schedule', '0', '-1', 'WITHSCORES')).toEqual([
      odd,
      '5',
      other,
      '5',
      twin,
      '1900000000',
    ]);
    expect(await entry?.delete()).toBe(true);
    expect(await redis.zrange('schedule', '0', '-1')).toEqual([odd, other]);
  });

  test.each([
    ['a Date', new Date(1_900_000_000_250), '1900000000.25'],
    ['seconds', 1_900_000_000.25, '1900000000.25'],
    ['the past', 1, '1'],
  ])('reschedule takes %s', async (_what, at, score) => {
    const redis = server.connect();
    await redis.zadd('retry', 5, odd);
    expect(await (await first(new RetrySet(redis))).reschedule(at)).toBe(true);
    expect(await redis.zrange('retry', '0', '-1', 'WITHSCORES')).toEqual([odd, score]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Date.now(), new Date(Number.NaN)])(
    'reschedule refuses %p, and writes nothing',
    async (at) => {
      const redis = server.connect();
      await redis.zadd('retry', 5, odd);
      const entry = await first(new RetrySet(redis));
      await expect((async () => entry.reschedule(at))()).rejects.toMatchObject({ code: 'TSQ_JOB_INVALID' });
      expect(await redis.zrange('retry', '0', '-1', 'WITHSCORES')).toEqual([odd, '5']);
    },
  );

  const actions: readonly [string, (entry: SortedEntry) => Promise<boolean>][] = [
    ['retry', (entry) => entry.retry()],
    ['addToQueue', (entry) => entry.addToQueue()],
    ['kill', (entry) => entry.kill()],
    ['delete', (entry) => entry.delete()],
  ];

  test.each(actions)(
    'of %s and each action at the same moment, one is done and the job is in one place at most',
    async (name, act) => {
      const [redis, other] = [server.connect(), server.connect()];
      for (const [rivalName, rival] of actions) {
        for (let round = 0; round < 10; round += 1) {
          await redis.del('retry', 'dead', 'queue:low');
          await redis.zadd('retry', 5, odd);
          const [mine, theirs] = [await first(new RetrySet(redis)), await first(new RetrySet(other))];
          const pair = round % 2 === 0 ? [act(mine), rival(theirs)] : [rival(theirs), act(mine)];
          expect((await Promise.all(pair)).sort()).toEqual([false, true]);
          const { retry, dead, low } = await places(redis);
          const isDeletion = [name, rivalName].includes('delete');
          expect([0, ...(isDeletion ? [] : [1])]).toContain(retry ?? -1);
          expect((dead ?? 0) + low).toBeLessThanOrEqual(1);
          if (!isDeletion) expect((dead ?? 0) + low).toBe(1);
        }
      }
    },
  );

  test('reschedule of an entry that is gone does not bring it back', async () => {
    const redis = server.connect();
    await redis.zadd('retry', 5, odd);
    const entry = await first(new RetrySet(redis));
    await entry.delete();
    expect(await entry.reschedule(9)).toBe(false);
    expect(await places(redis)).toEqual(nothing);
  });

  test('unreadable bytes stay when they should go to a queue, and can be rescheduled, killed and deleted', async () => {
    const redis = server.connect();
    const bytes = Buffer.from([0xff, 0x00, 0x7b]);
    await redis.zadd('retry', 5, bytes);
    const entry = await first(new RetrySet(redis));
    expect([entry.class, entry.args, entry.id]).toEqual([undefined, undefined, '5-']);
    for (const action of [entry.retry(), entry.addToQueue()]) {
      await expect(action).rejects.toMatchObject({ code: 'TSQ_PAYLOAD_UNREADABLE' });
    }
    expect(await entry.reschedule(6)).toBe(true);
    expect(await entry.kill()).toBe(true);
    expect(await redis.zrangeBuffer('dead', '0', '-1')).toEqual([bytes]);
    expect(await (await first(new DeadSet(redis))).delete()).toBe(true);
    expect(await places(redis)).toEqual(nothing);
  });

  test.each([
    ['queue:low', (entry: SortedEntry) => entry.retry()],
    ['queues', (entry: SortedEntry) => entry.addToQueue()],
    ['dead', (entry: SortedEntry) => entry.kill()],
  ])('when %s is of another type, the entry stays and the error says which key', async (key, act) => {
    const redis = server.connect();
    await redis.set(key, 'x');
    await redis.zadd('retry', 5, odd);
    const refused = { code: 'TSQ_REDIS_REFUSED', message: expect.stringContaining(key) };
    await expect(act(await first(new RetrySet(redis)))).rejects.toMatchObject(refused);
    expect(await redis.zrange('retry', '0', '-1', 'WITHSCORES')).toEqual([odd, '5']);
  });
});

describe('SortedEntry on a full Redis', () => {
  const server = useRedis();

  test.each([
    ['retry', (entry: SortedEntry) => entry.retry(), { low: 1 }],
    ['addToQueue', (entry: SortedEntry) => entry.addToQueue(), { low: 1 }],
    ['kill', (entry: SortedEntry) => entry.kill(), { dead: 1 }],
    ['delete', (entry: SortedEntry) => entry.delete(), {}],
    ['reschedule', (entry: SortedEntry) => entry.reschedule(9), { retry: 1 }],
  ] as const)('%s passes', async (_name, act, left) => {
    const redis = server.connect();
    await redis.zadd('retry', 5, odd);
    const entry = await first(new RetrySet(redis));
    await redis.config('SET', 'maxmemory', '1');
    try {
      expect(await act(entry)).toBe(true);
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    expect(await places(redis)).toEqual({ schedule: 0, retry: 0, dead: 0, low: 0, ...left });
  });
});
