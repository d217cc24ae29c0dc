import { describe, expect, test } from '@jest/globals';
import { eventually, useRedis } from '@tsq/core/test-support';
import { Instance, type InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { beat } from './beat.js';
import { takeCensus } from './census.js';
import { Recoverer } from './recoverer.js';
import { type InstanceReport, Recovery } from './recovery.js';
import { retire } from './retire.js';
import { hold, keysLeft } from './test-support/claims.js';
import { InstanceProcess } from './test-support/start-instance.js';

const keyspace = new Keyspace();
const [a, b, c] = ['a', 'b', 'c'] as [InstanceId, InstanceId, InstanceId];
const ttlMs = 90_000;

describe('Recovery.inspect', () => {
  const redis = useRedis();
  const live = (connection: Redis, ...ids: InstanceId[]) =>
    Promise.all(ids.map((id) => beat(connection, keyspace, id, ttlMs, 'register')));
  /** A recoverer that passes all the time, and finds the dead by their heartbeats alone. */
  async function recovering() {
    const instance = new Instance('looks');
    const times = { intervalMs: 20, startDelayMs: 0, watchIntervalMs: 0 };
    const recoverer = new Recoverer({ location: { url: redis.url }, instance, ...times });
    await recoverer.start();
    return { instance, recoverer, [Symbol.asyncDispose]: () => recoverer.stop(AbortSignal.timeout(5_000)) };
  }
  const one = async (connection: Redis, id: InstanceId): Promise<InstanceReport | undefined> =>
    (await new Recovery(connection).inspect()).instances.find((instance) => instance.id === id);

  test('of an empty namespace it says that nobody is there, and nobody recovers', async () => {
    expect(await new Recovery(redis.connect()).inspect()).toEqual({
      atSeconds: expect.any(Number),
      instances: [],
      lock: undefined,
      watcher: undefined,
      lastPass: undefined,
      nextPassWithinMs: undefined,
      recoveries: [],
    });
  });

  test('who has a heartbeat is alive, with the age of its beat, the rest of its TTL and what it holds', async () => {
    const connection = redis.connect();
    await live(connection, a);
    await hold(connection, keyspace, a, [
      { queue: 'q', bytes: 'one' },
      { queue: 'r', bytes: 'two' },
    ]);
    const { beatAgeMs = Number.NaN, beatLeftMs = Number.NaN, ...rest } = (await one(connection, a)) ?? {};
    expect(rest).toEqual({
      id: a,
      liveness: 'alive',
      rule: undefined,
      ageMs: undefined,
      graceLeftMs: 0,
      jobs: 2,
      connections: 0,
    });
    expect(beatAgeMs).toBeGreaterThanOrEqual(0);
    expect(Math.abs(beatAgeMs + beatLeftMs - ttlMs)).toBeLessThan(5);
  });

  test('S6: the age of a beat is told by the clock of Redis, whatever the time is here', async () => {
    const connection = redis.connect();
    const now = Date.now;
    Date.now = () => now() + 3_600_000;
    try {
      await live(connection, a);
      expect((await one(connection, a))?.beatAgeMs).toBeLessThan(60_000);
    } finally {
      Date.now = now;
    }
  });

  test('who has none has lapsed; together with most of the fleet it has grace, which ends', async () => {
    const connection = redis.connect();
    await connection.sadd(keyspace.instances, a);
    expect(await one(connection, a)).toMatchObject({
      liveness: 'lapsed',
      beatAgeMs: undefined,
      graceLeftMs: 0,
    });
    await connection.sadd(keyspace.instances, b);
    await takeCensus(connection, keyspace, c, ttlMs); // two of three: granted
    await live(connection, c);
    const graced = await one(connection, a);
    expect(graced).toMatchObject({ liveness: 'lapsed', graceLeftMs: expect.any(Number) });
    expect(graced?.graceLeftMs).toBeGreaterThan(ttlMs / 2);
    await connection.hset(keyspace.lapses, a, '1');
    expect(await one(connection, a)).toMatchObject({ liveness: 'lapsed', graceLeftMs: 0 });
  });

  test('who was declared dead is in the list while it holds claims, with the rule by which it died', async () => {
    const connection = redis.connect();
    await hold(connection, keyspace, a, [{ queue: 'q', bytes: 'one' }]);
    await live(connection, b);
    await connection.sadd(keyspace.instances, a);
    await connection.set('queue:q', 'no list'); // so that it can't go back
    await using it = await recovering();
    await eventually(async () =>
      expect(await one(connection, a)).toMatchObject({ liveness: 'dead', rule: 'heartbeat', jobs: 1 }),
    );
    await connection.del('queue:q');
    await eventually(async () => expect(await one(connection, a)).toBeUndefined());
    const { recoveries, lastPass } = await new Recovery(connection).inspect();
    expect(
      recoveries.map(({ instance: dead, by, rule, recovered, remaining }) => [
        dead,
        by,
        rule,
        recovered,
        remaining,
      ]),
    ).toEqual([
      [a, it.instance.id, 'heartbeat', 1, 0],
      [a, it.instance.id, 'heartbeat', 0, 1],
    ]);
    expect(lastPass).toMatchObject({ by: it.instance.id, intervalMs: 20 });
  });

  test('it shows real processes with their connections, and of one that was killed what became of its jobs', async () => {
    const settings = {
      url: redis.url,
      heartbeat: { intervalMs: 200, ttlMs: 1_000 },
      recoverer: { intervalMs: 200, startDelayMs: 0 },
    };
    await using killed = await InstanceProcess.start(settings);
    await using living = await InstanceProcess.start(settings);
    const admin = redis.connect();
    await hold(admin, keyspace, killed.id, [{ queue: 'q', bytes: 'one' }]);
    const recovery = new Recovery(admin);
    // Of heartbeat and recoverer: the one's connection may be there before the other's.
    const alive = [killed.id, living.id].toSorted().map((id) => ({ id, liveness: 'alive', connections: 2 }));
    await eventually(async () => expect((await recovery.inspect()).instances).toMatchObject(alive));
    for (const { ageMs, beatAgeMs = Number.NaN } of (await recovery.inspect()).instances) {
      expect(ageMs).toBeGreaterThan(beatAgeMs);
      expect(ageMs).toBeLessThan(600_000);
    }
    killed.signal('SIGKILL');
    await eventually(async () => {
      const { instances, recoveries, nextPassWithinMs } = await recovery.inspect();
      expect(instances.map(({ id }) => id)).toEqual([living.id]);
      expect(recoveries).toEqual([
        expect.objectContaining({ instance: killed.id, by: living.id, recovered: 1 }),
      ]);
      expect(nextPassWithinMs).toBeLessThanOrEqual(200);
    });
    living.tell('stop');
    expect(await living.ended()).toBe(0);
    expect(await keysLeft(admin, keyspace)).toEqual([]); // L3: the notes go with the last one
  });

  test('the lock shows who recovers, and for how long at most', async () => {
    const connection = redis.connect();
    await connection.set(keyspace.recoveryLock, b, 'PX', 5_000);
    const { lock } = await new Recovery(connection).inspect();
    expect(lock).toEqual({ holder: b, leftMs: expect.any(Number) });
  });

  test('where CLIENT LIST is forbidden it tells the rest', async () => {
    const admin = redis.connect();
    await live(admin, a);
    await admin.acl('SETUSER', 'watcher', 'on', 'nopass', '~*', '+@all', '-client|list');
    const watcher = admin.duplicate({ username: 'watcher', password: 'any' });
    try {
      expect(await one(watcher, a)).toMatchObject({ liveness: 'alive', connections: undefined });
    } finally {
      watcher.disconnect();
      await admin.acl('DELUSER', 'watcher');
    }
  });

  test('keys of a wrong type do not keep it from telling the rest', async () => {
    const connection = redis.connect();
    await live(connection, a, b);
    await connection.set(keyspace.jobs(a), 'no set');
    await connection.del(keyspace.instance(b));
    await connection.lpush(keyspace.instance(b), 'no text');
    await connection.rpush(keyspace.recovered, 'no report', '17 {}', '18 null');
    const { instances, recoveries } = await new Recovery(connection).inspect();
    expect(instances).toMatchObject([
      { id: a, liveness: 'alive', jobs: undefined },
      { id: b, beatAgeMs: undefined, jobs: 0 },
    ]);
    expect(recoveries).toEqual([]);
  });

  test('another namespace is another fleet', async () => {
    const connection = redis.connect();
    await live(connection, a);
    const other = new Keyspace('other');
    await beat(connection, other, b, ttlMs, 'register');
    const { instances } = await new Recovery(connection, { namespace: 'other' }).inspect();
    expect(instances.map(({ id }) => id)).toEqual([b]);
  });

  test('L3: nothing is noted when nobody is registered, and the last one takes the notes along', async () => {
    const connection = redis.connect();
    await using it = await recovering();
    await eventually(() => expect(it.recoverer.counts.passes).toBeGreaterThan(1));
    expect(await connection.exists(keyspace.lastPass)).toBe(0);
    await live(connection, a);
    await eventually(async () => expect(await connection.exists(keyspace.lastPass)).toBe(1));
    await it.recoverer.stop(AbortSignal.timeout(5_000));
    await retire(connection, keyspace, a);
    expect(await keysLeft(connection, keyspace)).toEqual([]);
  });
});
