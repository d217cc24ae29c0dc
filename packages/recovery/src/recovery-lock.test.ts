import { describe, expect, test } from '@jest/globals';
import { useRedis } from '@tsq/core/test-support';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import { beat } from './beat.js';
import { RecoveryLock } from './recovery-lock.js';

const keyspace = new Keyspace();
const [one, other] = ['one', 'other'] as [InstanceId, InstanceId];

describe('RecoveryLock', () => {
  const redis = useRedis();
  const lockOver = (ttlMs = 300_000) => {
    const connection = redis.connect();
    return { connection, lock: new RecoveryLock(connection, keyspace, ttlMs) };
  };

  test('is one at a time, and expires', async () => {
    const { connection, lock } = lockOver();
    await beat(connection, keyspace, one, 90_000, 'register');
    expect(await lock.take(one)).toBe('taken');
    expect(await lock.take(other)).toBe('held');
    expect(await connection.pttl(keyspace.recoveryLock)).toBeGreaterThan(200_000);
    expect(await lock.release(one)).toBe('released');
    expect(await lock.take(other)).toBe('taken');
  });

  test('of one that is dead goes to the next who asks', async () => {
    const { lock } = lockOver();
    expect(await lock.take(one)).toBe('taken');
    expect(await lock.take(other)).toBe('taken');
    expect(await lock.release(one)).toBe('not-held');
  });

  test("that became another's is left alone", async () => {
    const { connection, lock } = lockOver();
    await lock.take(one);
    await connection.set(keyspace.recoveryLock, other);
    expect(await lock.release(one)).toBe('not-held');
    expect(await connection.get(keyspace.recoveryLock)).toBe(other);
  });

  test("is the holder's still when the reply to its taking was lost", async () => {
    const { lock } = lockOver();
    await lock.take(one);
    expect(await lock.take(one)).toBe('taken');
  });
});
