import { describe, expect, test } from '@jest/globals';
import { keys, sidekiqDeadSet, silentLogger } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import type { Redis } from 'ioredis';
import { Poller } from './poller.js';
import { Promotion } from './promotion.js';

const past = 1_000_000.5;

/** A million entries that are due at once must harm nobody: neither those who use Redis, nor those who wait in the other set. */
describe('a flood of due entries', () => {
  const redis = useRedis();
  const job = (fields: object) => JSON.stringify({ class: 'A', args: [], queue: 'q', ...fields });
  const flood = (count: number, jid = 'flood') =>
    Array.from({ length: count }, (_, index) => [past + index, job({ jid: `${jid}${index}` })]).flat();
  /** From the one that is taken next. */
  const line = async (connection: Redis) =>
    (await connection.lrange(keys.queue('q'), 0, -1)).toReversed().map((text) => JSON.parse(text).jid);
  /** Of scripts, since the server started. */
  const calls = async (connection: Redis) =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await connection.info('commandstats'))?.[1] ?? 0);

  test('in `retry` does not keep what is due in `schedule` until its end', async () => {
    const connection = redis.connect();
    await connection.zadd(keys.retry, ...flood(500));
    await connection.zadd(keys.schedule, past, job({ jid: 'scheduled' }));
    await new Poller({ redis: connection, batchSize: 10 }).poll();
    const jids = await line(connection);
    expect(jids).toHaveLength(501);
    expect(jids.indexOf('scheduled')).toBe(10);
  });

  test('lets other commands in between its batches: a job that is pushed meanwhile does not wait for its end', async () => {
    const connection = redis.connect();
    const other = redis.connect();
    await connection.zadd(keys.schedule, ...flood(5_000));
    const polling = new Poller({ redis: connection, batchSize: 20 }).poll();
    await eventually(async () => expect(await other.llen(keys.queue('q'))).toBeGreaterThan(0));
    await other.lpush(keys.queue('q'), job({ jid: 'pushed' }));
    await polling;
    const jids = await line(connection);
    expect(jids).toHaveLength(5_001);
    expect(jids.indexOf('pushed')).toBeLessThan(5_000);
  });

  test('is no race: of many that look at once, those whose batch was taken leave the rest to the others', async () => {
    const connection = redis.connect();
    await connection.zadd(keys.schedule, ...flood(2_000));
    const before = await calls(connection);
    const pollers = Array.from({ length: 8 }, () => new Poller({ redis: redis.connect(), batchSize: 10 }));
    await Promise.all(pollers.map((poller) => poller.poll()));
    expect(await connection.zcard(keys.schedule)).toBe(0);
    expect(await line(connection)).toHaveLength(2_000);
    // Two for each of the 200 batches, and a few for each poller; all eight for all batches would be 3,200.
    expect((await calls(connection)) - before).toBeLessThan(600);
  });

  test('of large payloads is moved in small batches, all of it', async () => {
    const connection = redis.connect();
    await connection.zadd(keys.schedule, ...flood(50));
    const settings = { dialect: 'seconds', dead: sidekiqDeadSet, batchSize: 40, maxBatchBytes: 800 } as const;
    const promotion = new Promotion(connection, settings, silentLogger);
    // Some 50 bytes each: ten are read, and then another ten, before they are more than 800.
    expect(await promotion.moveBatch(keys.schedule, 0)).toMatchObject({ promoted: 20, isLast: false });
    expect(await promotion.moveBatch(keys.schedule, 0)).toMatchObject({ promoted: 20, isLast: false });
    expect(await promotion.moveBatch(keys.schedule, 0)).toMatchObject({ promoted: 10, isLast: true });
  });

  test('is moved in batches of no more entries than is set', async () => {
    const connection = redis.connect();
    await connection.zadd(keys.schedule, ...flood(25));
    const settings = { dialect: 'seconds', dead: sidekiqDeadSet, batchSize: 12, maxBatchBytes: 1e6 } as const;
    const promotion = new Promotion(connection, settings, silentLogger);
    expect(await promotion.moveBatch(keys.schedule, 0)).toMatchObject({ promoted: 12, isLast: false });
    expect(await promotion.moveBatch(keys.schedule, 0)).toMatchObject({ promoted: 12, isLast: false });
    expect(await promotion.moveBatch(keys.schedule, 0)).toMatchObject({ promoted: 1, isLast: true });
  });
});
