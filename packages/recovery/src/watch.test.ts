import { describe, expect, test } from '@jest/globals';
import { eventually, RecordingLogger, useRedis } from '@tsq/core/test-support';
import { Instance, type InstanceId, Keyspace } from '@tsq/tracker';
import { Redis } from 'ioredis';
import { beat } from './beat.js';
import type { RecoveredInstance } from './orphan-recovery.js';
import { Recoverer, type RecovererOptions } from './recoverer.js';
import { fetchOrder, hold } from './test-support/claims.js';

const keyspace = new Keyspace();
const long = 20_000;

describe('the watch over the connections', () => {
  const redis = useRedis();

  /** It looks, and makes no passes. */
  async function watcher(options: Partial<RecovererOptions> = {}) {
    const instance = new Instance('watcher');
    const logger = new RecordingLogger();
    const reports: RecoveredInstance[] = [];
    const settings = { watchIntervalMs: 50, startDelayMs: 1_000_000 };
    const made = new Recoverer({ location: { url: redis.url }, instance, logger, ...settings, ...options });
    made.onRecovered((report) => reports.push(report));
    await beat(redis.connect(), keyspace, instance.id, 90_000, 'register');
    await made.start();
    const looks = async (more: number) => {
      const before = made.counts.looks;
      await eventually(() => expect(made.counts.looks).toBeGreaterThanOrEqual(before + more), long);
    };
    const doubts = (text: string) =>
      logger.lines.filter(({ fields }) => String(fields.doubt).includes(text)).length;
    const stop = async () => {
      await made.stop(AbortSignal.timeout(5_000));
      await redis.connect().srem(keyspace.instances, instance.id);
    };
    return { made, logger, reports, looks, doubts, stop, [Symbol.asyncDispose]: stop };
  }

  /** An instance with a job, so many connections, and a heartbeat that vouches for long. */
  async function instance(name: string, connections: number) {
    const id = name as InstanceId;
    const admin = redis.connect();
    const open = Array.from(
      { length: connections },
      (_, index) => new Redis(redis.url, { connectionName: `tsq:${id}:part${index}`, retryStrategy: null }),
    );
    await Promise.all(open.map((connection) => connection.ping()));
    await beat(admin, keyspace, id, 90_000, 'register');
    await hold(admin, keyspace, id, [{ queue: 'q', bytes: name }]);
    const close = () => {
      for (const connection of open) connection.disconnect();
    };
    const isSeen = () =>
      eventually(async () => expect(await admin.hexists(keyspace.sightings, id)).toBe(1), long);
    return { id, admin, open, close, isSeen, [Symbol.dispose]: close };
  }

  test('an instance that has lost all its connections is recovered, though its heartbeat vouches for it', async () => {
    await using it = await watcher();
    using gone = await instance('gone', 2);
    await gone.isSeen();
    gone.close();
    await eventually(
      () => expect(it.reports).toMatchObject([{ instance: 'gone', rule: 'connections', recovered: 1 }]),
      long,
    );
    expect(await fetchOrder(gone.admin, 'q')).toEqual(['gone']);
    expect(it.doubts('too short a time')).toBeLessThanOrEqual(1);
  });

  test('S4: one connection that is left is enough to live', async () => {
    await using it = await watcher();
    using living = await instance('living', 3);
    await living.isSeen();
    for (const connection of living.open.slice(1)) connection.disconnect();
    await it.looks(100);
    living.open[0]?.disconnect();
    await eventually(() => expect(it.reports).toHaveLength(1), long); // it would have been found by now
    expect(it.logger.lines.filter(({ fields }) => fields.verdict === 'condemned')).toHaveLength(1);
  });

  test('S4: who beats while his connections are missing lives', async () => {
    await using it = await watcher();
    using living = await instance('living', 1);
    await living.isSeen();
    living.close();
    await eventually(async () => {
      await beat(living.admin, keyspace, living.id, 90_000, 'renew');
      expect(it.logger.lines.filter(({ fields }) => fields.verdict === 'alive').length).toBeGreaterThan(1);
    }, long);
    expect(await living.admin.sismember(keyspace.instances, living.id)).toBe(1);
    expect(it.reports).toEqual([]);
  });

  test('S4: whose connections nobody has ever seen is not missed', async () => {
    await using it = await watcher();
    using nameless = await instance('nameless', 0);
    using other = await instance('other', 1);
    await other.isSeen();
    other.close();
    await eventually(() => expect(it.reports).toHaveLength(1), long);
    expect(it.reports).toMatchObject([{ instance: 'other' }]);
    expect(await nameless.admin.sismember(keyspace.instances, nameless.id)).toBe(1);
  });

  test('S4: of three that are missing together none is dead', async () => {
    await using it = await watcher();
    using one = await instance('one', 1);
    using two = await instance('two', 1);
    using three = await instance('three', 1);
    for (const each of [one, two, three]) await each.isSeen();
    for (const each of [one, two, three]) each.close();
    await eventually(() => expect(it.doubts('3 of 4 instances are missing together')).toBe(1), long);
    await it.looks(2);
    expect(it.reports).toEqual([]);
  });

  test('S4: while Redis has no slot for a new connection nobody is dead', async () => {
    await using it = await watcher();
    using cut = await instance('cut', 1);
    await cut.isSeen();
    await it.looks(1);
    await cut.admin.config('SET', 'maxclients', '1');
    try {
      cut.close();
      await eventually(() => expect(it.doubts('no free connection')).toBe(1), long);
      await it.looks(2);
      expect(it.reports).toEqual([]);
    } finally {
      await cut.admin.config('SET', 'maxclients', '10000');
    }
  });

  test('S4: who has just connected himself declares nobody dead', async () => {
    using gone = await instance('gone', 1);
    await using first = await watcher();
    await gone.isSeen();
    await first.stop();
    gone.close();
    await using it = await watcher();
    await eventually(() => expect(it.doubts('too short a time')).toBe(1), long);
    expect(await gone.admin.sismember(keyspace.instances, gone.id)).toBe(1);
    await eventually(() => expect(it.reports).toHaveLength(1), long);
  });

  test('S4: who was seen before Redis was restarted, and not since, is left to his TTL', async () => {
    await using it = await watcher();
    using early = await instance('early', 0);
    await early.admin.hset(keyspace.sightings, early.id, 'another-run:7');
    using other = await instance('other', 1);
    await other.isSeen();
    await it.looks(5);
    expect(await early.admin.sismember(keyspace.instances, early.id)).toBe(1);
    expect(it.reports).toEqual([]);
    other.close();
    await eventually(() => expect(it.doubts('2 of 3 instances are missing together')).toBe(1), long);
    expect(it.reports).toEqual([]);
  });

  test('where CLIENT LIST is forbidden it is said once, and heartbeats decide', async () => {
    const admin = redis.connect();
    await admin.call('ACL', 'SETUSER', 'worker', 'on', '>secret', '~*', '+@all', '-client|list');
    try {
      const location = { url: redis.url.replace('redis://', 'redis://worker:secret@') };
      await using it = await watcher({ location, startDelayMs: 0, intervalMs: 50 });
      using gone = await instance('gone', 1);
      await eventually(() => expect(it.made.counts.failures).toBeGreaterThan(2), long);
      expect(it.logger.matching('warn', 'a look at the connections')).toHaveLength(1);
      await admin.del(keyspace.instance(gone.id));
      await eventually(
        () => expect(it.reports).toMatchObject([{ instance: 'gone', rule: 'heartbeat' }]),
        long,
      );
    } finally {
      await admin.call('ACL', 'DELUSER', 'worker');
    }
  });

  test('an interval of 0 looks at nothing', async () => {
    await using it = await watcher({ watchIntervalMs: 0, startDelayMs: 0, intervalMs: 20 });
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(3));
    expect(it.made.counts.looks).toBe(0);
  });
});
