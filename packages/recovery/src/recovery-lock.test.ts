import { describe, expect, test } from '@jest/globals';
import { useRedis } from '@tsq/core/test-support';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import { beat } from './beat.js';
import { releaseLock, takeLock } from './recovery-lock.js';

const keyspace = new Keyspace();
const [one, other] = ['one', 'other'] as [InstanceId, InstanceId];
const ttlMs = 300_000;

describe('the recovery lock', () => {
  const redis = useRedis();

  test('is one at a time, and expires', async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, one, 90_000, 'register');
    expect(await takeLock(connection, keyspace, 'recoveryLock', one, ttlMs)).toBe('taken');
    expect(await takeLock(connection, keyspace, 'recoveryLock', other, ttlMs)).toBe('held');
    expect(await connection.pttl(keyspace.recoveryLock)).toBeGreaterThan(200_000);
    expect(await releaseLock(connection, keyspace, one)).toBe('released');
    expect(await takeLock(connection, keyspace, 'recoveryLock', other, ttlMs)).toBe('taken');
  });

  test('of one that is dead goes to the next who asks', async () => {
    const connection = redis.connect();
    expect(await takeLock(connection, keyspace, 'recoveryLock', one, ttlMs)).toBe('taken');
    expect(await takeLock(connection, keyspace, 'recoveryLock', other, ttlMs)).toBe('taken');
    expect(await releaseLock(connection, keyspace, one)).toBe('not-held');
    expect(await connection.get(keyspace.recoveryLock)).toBe(other);
  });

  test("is the holder's still when the reply to its taking was lost", async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, one, 90_000, 'register');
    await takeLock(connection, keyspace, 'recoveryLock', one, ttlMs);
    expect(await takeLock(connection, keyspace, 'recoveryLock', one, ttlMs)).toBe('taken');
  });

  test('can be taken and released when Redis is full', async () => {
    const connection = redis.connect();
    await connection.config('SET', 'maxmemory', '1mb');
    try {
      expect(await takeLock(connection, keyspace, 'recoveryLock', one, ttlMs)).toBe('taken');
      expect(await releaseLock(connection, keyspace, one)).toBe('released');
    } finally {
      await connection.config('SET', 'maxmemory', '0');
    }
  });
});
