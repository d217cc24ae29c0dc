import { describe, expect, test } from '@jest/globals';
import { useRedis } from '@tsq/core/test-support';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import { beat } from './beat.js';
import { condemn } from './condemn.js';
import { fetchOrder, hold, recoverSome } from './test-support/claims.js';

const keyspace = new Keyspace();
const id = 'host-1' as InstanceId;

describe('condemn', () => {
  const redis = useRedis();

  /** An instance that lives and holds a job; answers its heartbeat. */
  async function living(connection = redis.connect()) {
    await beat(connection, keyspace, id, 90_000, 'register');
    await hold(connection, keyspace, id, [{ queue: 'q', bytes: 'one' }]);
    return { connection, heartbeat: String(await connection.get(keyspace.instance(id))) };
  }

  test('S4: an instance that has beaten since keeps its heartbeat', async () => {
    const { connection, heartbeat } = await living();
    await beat(connection, keyspace, id, 90_000, 'renew');
    expect(await condemn(connection, keyspace, id, heartbeat)).toBe('alive');
    expect(await condemn(connection, keyspace, id, '')).toBe('alive');
    expect(await recoverSome(connection, keyspace, id, 500, 'next')).toBe('alive');
  });

  test('S4: while those who lapsed together have their TTL to come back, nobody loses his heartbeat', async () => {
    const { connection, heartbeat } = await living();
    await connection.hset(keyspace.lapses, 'other', '1');
    expect(await condemn(connection, keyspace, id, heartbeat)).toBe('spared');
    expect(await connection.get(keyspace.instance(id))).toBe(heartbeat);
  });

  test('S2: one that beats before it is declared dead keeps its claims; after it, it is told, and they are gone', async () => {
    const { connection, heartbeat } = await living();
    expect(await condemn(connection, keyspace, id, heartbeat)).toBe('condemned');
    expect(await beat(connection, keyspace, id, 90_000, 'renew')).toBe('renewed');
    expect(await recoverSome(connection, keyspace, id, 500, 'next')).toBe('alive');
    const again = String(await connection.get(keyspace.instance(id)));
    expect(await condemn(connection, keyspace, id, again)).toBe('condemned');
    expect(await recoverSome(connection, keyspace, id, 500, 'next')).toMatchObject({
      declaredDead: true,
      recovered: 1,
    });
    expect(await beat(connection, keyspace, id, 90_000, 'renew')).toBe('lapsed');
    expect(await fetchOrder(connection, 'q')).toEqual(['one']);
  });

  test('one whose heartbeat ran out meanwhile is as dead as one that was missed', async () => {
    const { connection, heartbeat } = await living();
    await connection.del(keyspace.instance(id));
    expect(await condemn(connection, keyspace, id, heartbeat)).toBe('condemned');
  });

  test('a full Redis does not keep it from its verdict', async () => {
    const { connection, heartbeat } = await living();
    await connection.config('SET', 'maxmemory', '1mb');
    try {
      expect(await condemn(connection, keyspace, id, heartbeat)).toBe('condemned');
    } finally {
      await connection.config('SET', 'maxmemory', '0');
    }
  });
});
