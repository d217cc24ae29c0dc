import { describe, expect, test } from '@jest/globals';
import { eventually, useRedis } from '@tsq/core/test-support';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import { beat } from './beat.js';

const keyspace = new Keyspace();
const id = 'host-1' as InstanceId;

describe('beat', () => {
  const redis = useRedis();

  test('the first one registers the id and vouches for it until its TTL', async () => {
    const connection = redis.connect();
    expect(await beat(connection, keyspace, id, 90_000, 'register')).toBe('renewed');
    expect(await connection.smembers(keyspace.instances)).toEqual([id]);
    const ttlMs = await connection.pttl(keyspace.instance(id));
    expect(ttlMs).toBeGreaterThan(80_000);
    expect(ttlMs).toBeLessThanOrEqual(90_000);
  });

  test("S6: the time it writes is Redis', in seconds with six decimals", async () => {
    const connection = redis.connect();
    const [before] = await connection.time();
    await beat(connection, keyspace, id, 90_000, 'register');
    const written = await connection.get(keyspace.instance(id));
    const [after] = await connection.time();
    expect(written).toMatch(/^\d+\.\d{6}$/);
    expect(Number(written)).toBeGreaterThanOrEqual(Number(before));
    expect(Number(written)).toBeLessThan(Number(after) + 1);
  });

  test('an instance that was declared dead is told so, and nothing is written', async () => {
    const connection = redis.connect();
    expect(await beat(connection, keyspace, id, 90_000, 'renew')).toBe('lapsed');
    expect(await connection.dbsize()).toBe(0);
  });

  test('a note goes with the beat, whole and with its time, and stays when a beat brings none', async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, id, 90_000, 'register', ['rss', '1', 'gone', '2']);
    await beat(connection, keyspace, id, 90_000, 'renew', ['rss', '3']);
    const at = await connection.get(keyspace.instance(id));
    await beat(connection, keyspace, id, 90_000, 'renew');
    expect(await connection.hgetall(keyspace.vitals(id))).toEqual({ rss: '3', beat: at });
  });

  test('L3: what an instance has noted is gone when it hears that it was declared dead', async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, id, 90_000, 'register', ['rss', '1']);
    await connection.del(keyspace.instances, keyspace.instance(id));
    expect(await beat(connection, keyspace, id, 90_000, 'renew', ['rss', '1'])).toBe('lapsed');
    expect(await connection.dbsize()).toBe(0);
  });

  test('a note that can not be written is given up, and the beat passes', async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, id, 90_000, 'register', ['rss', '1']);
    expect(await beat(connection, keyspace, id, 90_000, 'renew', ['a field without a value'])).toBe(
      'renewed',
    );
    expect(await connection.exists(keyspace.instance(id))).toBe(1);
    expect(await connection.exists(keyspace.vitals(id))).toBe(0);
  });

  test('a beat that comes after its TTL, yet before anybody declared a death, renews', async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, id, 1, 'register');
    await eventually(async () => expect(await connection.exists(keyspace.instance(id))).toBe(0));
    expect(await beat(connection, keyspace, id, 90_000, 'renew')).toBe('renewed');
    expect(await connection.exists(keyspace.instance(id))).toBe(1);
  });

  test('a full Redis takes the first beat and every other', async () => {
    const connection = redis.connect();
    await connection.config('SET', 'maxmemory', '1mb');
    try {
      await expect(connection.set('any', 'value')).rejects.toThrow('OOM');
      const note = ['jobs', 'x'.repeat(10_000)];
      expect(await beat(connection, keyspace, id, 90_000, 'register', note)).toBe('renewed');
      expect(await beat(connection, keyspace, id, 90_000, 'renew', note)).toBe('renewed');
      expect(await connection.sismember(keyspace.instances, id)).toBe(1);
    } finally {
      await connection.config('SET', 'maxmemory', '0');
    }
  });

  test('a registry of the wrong type is an error, and nothing is written', async () => {
    const connection = redis.connect();
    await connection.set(keyspace.instances, 'x');
    await expect(beat(connection, keyspace, id, 90_000, 'register')).rejects.toThrow('WRONGTYPE');
    expect(await connection.keys('*')).toEqual([keyspace.instances]);
  });
});
