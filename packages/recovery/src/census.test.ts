import { describe, expect, test } from '@jest/globals';
import { eventually, useRedis } from '@tsq/core/test-support';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { beat } from './beat.js';
import { takeCensus } from './census.js';

const keyspace = new Keyspace();
const [own, a, b, c] = ['own', 'a', 'b', 'c'] as [InstanceId, InstanceId, InstanceId, InstanceId];
const longMs = 90_000;

describe('the census', () => {
  const redis = useRedis();
  const lapse = (connection: Redis, ...ids: InstanceId[]) => connection.sadd(keyspace.instances, ...ids);
  const live = (connection: Redis, id: InstanceId) => beat(connection, keyspace, id, longMs, 'register');

  test('names who has no heartbeat, and who was declared dead before; never who asks', async () => {
    const connection = redis.connect();
    await live(connection, b);
    await live(connection, c);
    await lapse(connection, a, own);
    await connection.sadd(keyspace.deadInstances, 'd', own);
    const { dead, ...rest } = await takeCensus(connection, keyspace, own, longMs);
    expect([dead.toSorted(), rest]).toEqual([['a', 'd'], { granted: 0, waiting: 0 }]);
    expect(await connection.exists(keyspace.lapses)).toBe(0);
  });

  test('one of two is dead at once: half is not more than half, and who asks lives, registered or not', async () => {
    const connection = redis.connect();
    await lapse(connection, a);
    expect((await takeCensus(connection, keyspace, own, longMs)).dead).toEqual([a]);
    await live(connection, own);
    expect((await takeCensus(connection, keyspace, own, longMs)).dead).toEqual([a]);
  });

  test('S4: when more than half lapse at one look, none of them is dead, also when the others are back', async () => {
    const connection = redis.connect();
    await lapse(connection, own, a, b);
    expect(await takeCensus(connection, keyspace, own, longMs)).toEqual({ dead: [], granted: 3, waiting: 0 });
    await live(connection, own);
    await live(connection, b);
    expect(await takeCensus(connection, keyspace, own, longMs)).toEqual({ dead: [], granted: 0, waiting: 1 });
    await live(connection, a);
    expect(await takeCensus(connection, keyspace, own, longMs)).toEqual({ dead: [], granted: 0, waiting: 0 });
    expect(await connection.exists(keyspace.lapses)).toBe(0);
  });

  test('L1: who has not come back when his TTL is over may be declared dead, however many they are', async () => {
    const connection = redis.connect();
    await lapse(connection, a, b, c);
    expect(await takeCensus(connection, keyspace, own, 200)).toEqual({ dead: [], granted: 3, waiting: 0 });
    await eventually(async () =>
      expect((await takeCensus(connection, keyspace, own, 200)).dead.toSorted()).toEqual([a, b, c]),
    );
  });

  test('who dies alone, while others have their TTL to come back, is dead at once', async () => {
    const connection = redis.connect();
    await lapse(connection, a, b);
    await takeCensus(connection, keyspace, own, longMs);
    for (const id of ['e', 'f', 'g', 'h'] as InstanceId[]) await live(connection, id);
    await lapse(connection, c);
    expect(await takeCensus(connection, keyspace, own, longMs)).toEqual({
      dead: [c],
      granted: 0,
      waiting: 2,
    });
  });

  test('a full Redis does not keep it from its verdict', async () => {
    const connection = redis.connect();
    await lapse(connection, a, b);
    await connection.config('SET', 'maxmemory', '1mb');
    try {
      expect(await takeCensus(connection, keyspace, own, longMs)).toMatchObject({ granted: 2 });
    } finally {
      await connection.config('SET', 'maxmemory', '0');
    }
  });
});
