import { describe, expect, test } from '@jest/globals';
import { eventually, itIsAComponent, RecordingLogger, TestRedis, useRedis } from '@tsq/core/test-support';
import { Instance, type InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { beat } from './beat.js';
import type { DeclaredDeath, RecoveredInstance } from './orphan-recovery.js';
import { Recoverer, type RecovererOptions } from './recoverer.js';
import { type Claim, fetchOrder, hold, keysLeft } from './test-support/claims.js';

const keyspace = new Keyspace();
const deadId = 'dead-1' as InstanceId;
const soon = () => AbortSignal.timeout(5_000);

describe('Recoverer', () => {
  const redis = useRedis();

  function recoverer(options: Partial<RecovererOptions> = {}) {
    const instance = options.instance ?? new Instance('test');
    const logger = new RecordingLogger();
    const reports: RecoveredInstance[] = [];
    const deaths: DeclaredDeath[] = [];
    const fast = { intervalMs: 30, startDelayMs: 0 };
    const made = new Recoverer({ location: { url: redis.url }, instance, logger, ...fast, ...options });
    made.onRecovered((report) => reports.push(report));
    made.onDeath((death) => deaths.push(death));
    return { made, instance, logger, reports, deaths, [Symbol.asyncDispose]: () => made.stop(soon()) };
  }

  async function dead(connection: Redis, claims: readonly Claim[], id: InstanceId = deadId): Promise<void> {
    await hold(connection, keyspace, id, claims);
    await connection.sadd(keyspace.instances, id);
  }

  /** Two that are dead among three would be more than half of the fleet. */
  async function living(connection: Redis, id: string): Promise<InstanceId> {
    await beat(connection, keyspace, id as InstanceId, 90_000, 'register');
    return id as InstanceId;
  }

  const jobs = (...texts: string[]): Claim[] => texts.map((bytes) => ({ queue: 'q', bytes }));

  describe('as a component', () => {
    itIsAComponent(() => recoverer().made);
  });

  test('finds an instance that died, puts its jobs back, says so in one line, and leaves no key', async () => {
    await using it = recoverer();
    const admin = redis.connect();
    await it.made.start();
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(0)); // so not only at the start
    await dead(admin, jobs('1', '2'));
    await eventually(() => expect(it.reports).toHaveLength(1));
    expect(it.reports[0]).toEqual({
      instance: deadId,
      rule: 'heartbeat',
      recovered: 2,
      missing: 0,
      poison: 0,
      remaining: 0,
      durationMs: expect.any(Number),
    });
    expect(await fetchOrder(admin, 'q')).toEqual(['1', '2']);
    expect(it.deaths).toEqual([{ instance: deadId, rule: 'heartbeat', jobs: 2 }]);
    expect(it.logger.matching('warn', 'an instance is dead: its heartbeat ran out')).toHaveLength(1);
    expect(it.logger.matching('warn', 'recovered 2 jobs')).toHaveLength(1);
    expect(it.made.counts).toMatchObject({ deaths: 1, recovered: 2, missing: 0, failures: 0 });
    await it.made.stop(soon());
    // The turn at looking ends by itself.
    await eventually(async () => expect(await keysLeft(admin, keyspace)).toEqual([]));
  });

  test('S4: the jobs of those who live stay theirs, and so do its own, beat or no beat', async () => {
    await using it = recoverer();
    const admin = redis.connect();
    const other = 'other-1' as InstanceId;
    await beat(admin, keyspace, other, 90_000, 'register');
    await hold(admin, keyspace, other, jobs('theirs'));
    await dead(admin, jobs('own'), it.instance.id);
    await it.made.start();
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(2));
    expect(await admin.llen('queue:q')).toBe(0);
    expect((await admin.smembers(keyspace.instances)).toSorted()).toEqual([other, it.instance.id].toSorted());
  });

  test('what this process held under an id that has lapsed is recovered as that of any other', async () => {
    await using it = recoverer();
    const admin = redis.connect();
    await dead(admin, jobs('held by my former self'), it.instance.id);
    it.instance.renew();
    await it.made.start();
    await eventually(async () => expect(await fetchOrder(admin, 'q')).toEqual(['held by my former self']));
  });

  test('S3: five recoverers, whose lock somebody deletes all the time, put 1,200 orphans back once each', async () => {
    const admin = redis.connect();
    const texts = Array.from({ length: 1_200 }, (_, index) => `job ${index}`);
    for (let at = 0; at < 1_200; at += 300) await dead(admin, jobs(...texts.slice(at, at + 300)));
    const five = Array.from({ length: 5 }, () => recoverer({ batchSize: 50, intervalMs: 1 }));
    let isOver = false;
    const stranger = (async () => {
      while (!isOver) await admin.del(keyspace.recoveryLock);
    })();
    await Promise.all(five.map(({ made }) => made.start()));
    await eventually(async () =>
      expect(await admin.exists(keyspace.deadInstances, keyspace.instances)).toBe(0),
    );
    await Promise.all(five.map(({ made }) => made.stop(soon())));
    isOver = true;
    await stranger;
    expect((await fetchOrder(admin, 'q')).toSorted()).toEqual(texts.toSorted());
    const sum = five.reduce((total, { made }) => total + made.counts.recovered, 0);
    expect(sum).toBe(1_200);
    expect(five.reduce((total, { made }) => total + made.counts.deaths, 0)).toBe(1);
  });

  test('1,200 orphans come back in their order, by one recoverer in steps', async () => {
    await using it = recoverer();
    const admin = redis.connect();
    const texts = Array.from({ length: 1_200 }, (_, index) => `job ${index}`);
    await dead(admin, jobs(...texts));
    await it.made.start();
    await eventually(() => expect(it.reports).toMatchObject([{ recovered: 1_200, remaining: 0 }]));
    expect(await fetchOrder(admin, 'q')).toEqual(texts);
  });

  test('L1: the lock of a recoverer that was killed in its pass does not hold the others up', async () => {
    await using it = recoverer();
    const admin = redis.connect();
    await dead(admin, jobs('1'));
    await admin.set(keyspace.recoveryLock, deadId, 'PX', 300_000);
    await it.made.start();
    await eventually(async () => expect(await fetchOrder(admin, 'q')).toEqual(['1']));
  });

  test('while a living instance holds the lock it spares the work, and leaves the lock alone', async () => {
    await using it = recoverer();
    const admin = redis.connect();
    const other = 'other-1' as InstanceId;
    await beat(admin, keyspace, other, 90_000, 'register');
    await admin.set(keyspace.recoveryLock, other, 'PX', 300_000);
    await dead(admin, jobs('1'));
    const lines = await admin.monitor();
    let refusals = 0;
    lines.on('monitor', (_time: string, [command, key]: string[]) => {
      if (command === 'EXISTS' && key === keyspace.instance(other)) refusals += 1;
    });
    await it.made.start();
    await eventually(() => expect(refusals).toBeGreaterThan(1));
    lines.disconnect();
    await it.made.stop(soon());
    expect(it.made.counts.passes).toBe(0);
    expect(await admin.get(keyspace.recoveryLock)).toBe(other);
  });

  test('one instance with broken keys keeps nobody else from being recovered, and is logged once', async () => {
    await using it = recoverer();
    const admin = redis.connect();
    const broken = 'aaa-broken' as InstanceId;
    await living(admin, 'living-1');
    await admin.sadd(keyspace.instances, broken);
    await admin.set(keyspace.jobs(broken), 'x');
    await dead(admin, jobs('1'));
    await it.made.start();
    await eventually(async () => expect(await fetchOrder(admin, 'q')).toEqual(['1']));
    await eventually(() => expect(it.made.counts.failures).toBeGreaterThan(2));
    expect(it.logger.matching('warn', 'a recovery pass failed')).toHaveLength(1);
  });

  test('jobs that can not go back are named once, and go back when the key is repaired', async () => {
    await using it = recoverer();
    const admin = redis.connect();
    await admin.set('queue:q', 'not a list');
    await dead(admin, jobs('1', '2'));
    await it.made.start();
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(3));
    expect(it.logger.matching('error', 'can not be put back')).toHaveLength(1);
    await admin.del('queue:q');
    await eventually(async () => expect(await fetchOrder(admin, 'q')).toEqual(['1', '2']));
  });

  test('claims without a payload are logged as an error, with their members, and counted', async () => {
    await using it = recoverer();
    const admin = redis.connect();
    const [member] = await hold(admin, keyspace, deadId, jobs('lost'));
    if (member === undefined) throw new Error('expected a member');
    await admin.del(keyspace.job(member));
    await admin.sadd(keyspace.instances, deadId);
    await it.made.start();
    await eventually(() => expect(it.made.counts.missing).toBe(1));
    expect(it.logger.lines).toContainEqual(
      expect.objectContaining({ level: 'error', fields: { instance: deadId, members: [member] } }),
    );
  });

  test('a full Redis does not keep orphans from going back', async () => {
    await using it = recoverer();
    const admin = redis.connect();
    await dead(admin, jobs('1', '2'));
    await admin.config('SET', 'maxmemory', '1mb');
    try {
      await it.made.start();
      await eventually(async () => expect(await fetchOrder(admin, 'q')).toEqual(['1', '2']));
    } finally {
      await admin.config('SET', 'maxmemory', '0');
    }
  });

  test('S4: after Redis was away for long, nobody is declared dead before all had one TTL to come back', async () => {
    const heartbeatTtlMs = 1_500;
    const own = new TestRedis();
    await own.start();
    await using it = recoverer({ location: { url: own.url }, heartbeatTtlMs });
    await it.made.start();
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(0));
    await own.kill();
    const killedAt = performance.now();
    await eventually(() => expect(performance.now() - killedAt).toBeGreaterThan(heartbeatTtlMs / 2));
    await own.start();
    const admin = own.connect();
    const sleeper = 'sleeper-1' as InstanceId;
    await dead(admin, jobs('mine'), sleeper); // its beat ran out in the meantime
    await eventually(() => expect(it.logger.matching('warn', 'Redis was away for long')).toHaveLength(1));
    expect(await beat(admin, keyspace, sleeper, 90_000, 'renew')).toBe('renewed');
    const { passes } = it.made.counts;
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(passes));
    expect(await admin.llen('queue:q')).toBe(0);
    await it.made.stop(soon());
    own.closeConnections();
    await own.stop();
  });

  test('S4: when all heartbeats vanish at once nobody is declared dead, and those who are back within a TTL keep their jobs', async () => {
    await using it = recoverer({ heartbeatTtlMs: 90_000, intervalMs: 1, startDelayMs: 100_000 });
    const admin = redis.connect();
    const fleet = await Promise.all(['a', 'b', 'c'].map((id) => living(admin, id)));
    for (const id of fleet) await hold(admin, keyspace, id, jobs(id));
    const pipeline = admin.multi();
    for (const id of fleet) pipeline.pexpire(keyspace.instance(id), -1);
    await pipeline.exec();
    await it.made.start(); // no pass yet: the look notes it
    await eventually(() =>
      expect(it.logger.matching('warn', 'lost their heartbeat at once')).toHaveLength(1),
    );
    await living(admin, 'a');
    await living(admin, 'b');
    await using passing = recoverer({ heartbeatTtlMs: 90_000 });
    await passing.made.start();
    await eventually(() => expect(passing.made.counts.passes).toBeGreaterThan(2));
    expect(await beat(admin, keyspace, 'c' as InstanceId, 90_000, 'renew')).toBe('renewed');
    expect(it.reports.concat(passing.reports)).toEqual([]);
  });

  test('L1: of a fleet that died as a whole the jobs are back one TTL later', async () => {
    await using it = recoverer({ heartbeatTtlMs: 500 });
    const admin = redis.connect();
    for (const id of ['a', 'b', 'c']) await dead(admin, jobs(id), id as InstanceId);
    await it.made.start();
    await eventually(() => expect(it.made.counts.recovered).toBe(3));
    expect(it.logger.matching('warn', 'lost their heartbeat at once')).toHaveLength(1);
    expect(await admin.exists(keyspace.instances, keyspace.deadInstances)).toBe(0);
  });

  test('a listener that throws keeps no pass from going on', async () => {
    await using it = recoverer();
    const admin = redis.connect();
    it.made.onRecovered(() => {
      throw new Error('a bug of a listener');
    });
    await living(admin, 'living-1');
    await dead(admin, jobs('1'));
    await dead(admin, jobs('2'), 'dead-2' as InstanceId);
    await it.made.start();
    await eventually(() => expect(it.made.counts.recovered).toBe(2));
    expect(it.logger.matching('error', 'a listener')).toHaveLength(2);
  });
});
