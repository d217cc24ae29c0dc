import { describe, expect, test } from '@jest/globals';
import { useRedis } from '@tsq/core/test-support';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import { beat } from './beat.js';
import { retire } from './retire.js';
import { hold, keysLeft, recoverSome } from './test-support/claims.js';

const keyspace = new Keyspace();
const id = 'host-1' as InstanceId;

describe('retire', () => {
  const redis = useRedis();

  test('L3: an instance that holds nothing leaves no key', async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, id, 90_000, 'register', ['rss', '1']);
    await connection.incr(keyspace.claims(id)); // it has claimed, and settled
    expect(await retire(connection, keyspace, id)).toBe('gone');
    expect(await connection.keys('*')).toEqual([]);
  });

  test('what an instance still holds can be recovered at once, without waiting for its TTL', async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, id, 90_000, 'register');
    await hold(connection, keyspace, id, [{ queue: 'q', bytes: 'one' }]);
    expect(await retire(connection, keyspace, id)).toBe('left');
    expect(await recoverSome(connection, keyspace, id, 500, 'next')).toMatchObject({
      recovered: 1,
      remaining: 0,
    });
    expect(await keysLeft(connection, keyspace)).toEqual([]);
  });

  test('sent again it answers as before', async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, id, 90_000, 'register');
    expect(await retire(connection, keyspace, id)).toBe('gone');
    expect(await retire(connection, keyspace, id)).toBe('gone');
  });

  test('claims of the wrong type are an error, and the heartbeat stays', async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, id, 90_000, 'register');
    await connection.set(keyspace.jobs(id), 'x');
    await expect(retire(connection, keyspace, id)).rejects.toThrow('WRONGTYPE');
    expect(await connection.exists(keyspace.instance(id))).toBe(1);
  });

  test('a full Redis lets an instance go', async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, id, 90_000, 'register');
    await connection.config('SET', 'maxmemory', '1mb');
    expect(await retire(connection, keyspace, id)).toBe('gone');
    await connection.config('SET', 'maxmemory', '0');
  });
});
