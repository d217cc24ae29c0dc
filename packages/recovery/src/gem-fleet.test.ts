/** What the tracker gem leaves in Redis, by the commands that it sends, and what becomes of it: real Ruby is in tests/src/end-to-end. */
import { describe, expect, test } from '@jest/globals';
import { eventually, RecordingLogger, useRedis } from '@tsq/core/test-support';
import { Instance, type InstanceId, Keyspace, type Member } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { beat } from './beat.js';
import { gemMember, recoverGem } from './recover-gem.js';
import { Recoverer, type RecovererOptions } from './recoverer.js';
import { takeLock } from './recovery-lock.js';
import { fetchOrder, hold } from './test-support/claims.js';

const keyspace = new Keyspace('sidekiq_assured_jobs');
const defaults = { position: 'next', dead: { timeoutSeconds: 1_000_000, maxJobs: 100 } } as const;
const asId = (id: string) => id as InstanceId;

describe('the tracker gem in our namespace', () => {
  const redis = useRedis();

  /** As the gem's middleware does when a job begins. */
  async function tracks(admin: Redis, id: string, jid: string, payload: string | Buffer = jobOf(jid)) {
    await admin.sadd(keyspace.jobs(asId(id)), jid);
    await admin.set(keyspace.job(gemMember(jid)), payload);
  }
  const jobOf = (jid: string, queue = 'q') => `{"class":"A","args":[1.0],"jid":"${jid}", "queue":"${queue}"}`;
  const beats = (admin: Redis, id: string) => admin.setex(keyspace.instance(asId(id)), 45, '1795466959.65');

  /** As Sidekiq's process shows what it runs. */
  async function runs(admin: Redis, process: string, payload: string) {
    await admin.sadd('processes', process);
    await admin.hset(`${process}:workers`, 'tid', JSON.stringify({ queue: 'q', payload, run_at: 1 }));
  }

  function recoverer(options: Partial<RecovererOptions> = {}) {
    const logger = new RecordingLogger();
    const instance = new Instance('test');
    const fast = {
      intervalMs: 50,
      startDelayMs: 0,
      watchIntervalMs: 0,
      gemScanIntervalMs: 60,
      gemGraceMs: 60,
    };
    const made = new Recoverer({
      ...{ location: { url: redis.url }, instance, keyspace, logger },
      ...fast,
      ...options,
    });
    return { made, instance, logger, [Symbol.asyncDispose]: () => made.stop(AbortSignal.timeout(5_000)) };
  }

  const recover = (
    admin: Redis,
    id: string,
    jobs: readonly (readonly [string, string | null])[],
    others: string[] = [],
  ) =>
    recoverGem(
      admin,
      keyspace,
      asId(id),
      jobs.map(([jid, text]) => ({ jid, bytes: text === null ? null : Buffer.from(text) })),
      others.map(asId),
      defaults,
    );

  test('L1 S5: what a dead instance of the gem held is back, each with its bytes on the queue that it names, and no key is left', async () => {
    const admin = redis.connect();
    await tracks(admin, 'host:1', 'one');
    await tracks(admin, 'host:1', 'two', jobOf('two', 'other'));
    await tracks(admin, 'host:1', 'none', '{"class":"A","args":[],"jid":"none"}');
    await tracks(admin, 'other:1', 'theirs'); // the gem reads both ids as "1"
    await beats(admin, 'other:1');
    await admin.lpush('queue:q', 'waits');
    await using it = recoverer();
    await it.made.start();
    await eventually(async () => expect(await fetchOrder(admin, 'q')).toEqual([jobOf('one'), 'waits']));
    expect(await fetchOrder(admin, 'other')).toEqual([jobOf('two', 'other')]);
    expect(await fetchOrder(admin, 'default')).toEqual(['{"class":"A","args":[],"jid":"none"}']);
    expect((await admin.smembers('queues')).toSorted()).toEqual(['default', 'other', 'q']);
    expect(it.made.counts).toMatchObject({ recovered: 3, deaths: 1, failures: 0 });
    await it.made.stop(AbortSignal.timeout(5_000));
    const left = (await admin.keys(`${keyspace.namespace}:*`)).filter((key) => key !== keyspace.recoveries);
    expect(left.toSorted()).toEqual([
      'sidekiq_assured_jobs:instance:other:1',
      'sidekiq_assured_jobs:job:theirs',
      'sidekiq_assured_jobs:jobs:other:1',
    ]);
  });

  test("S4: an instance without a heartbeat keeps what a Sidekiq process says that it runs, as at the gem's own slow stop", async () => {
    const admin = redis.connect();
    await tracks(admin, 'A', 'runs');
    await tracks(admin, 'A', 'died');
    await runs(admin, 'host:7:abc', jobOf('runs'));
    await using it = recoverer();
    await it.made.start();
    await eventually(async () => expect(await fetchOrder(admin, 'q')).toEqual([jobOf('died')]));
    const { passes } = it.made.counts;
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(passes + 5));
    expect(await admin.smembers(keyspace.jobs(asId('A')))).toEqual(['runs']);
    await admin.del('host:7:abc:workers'); // it has ended, or died for good
    await eventually(async () =>
      expect(await fetchOrder(admin, 'q')).toEqual([jobOf('runs'), jobOf('died')]),
    );
  });

  test('S4: a heartbeat that is back within the grace keeps all', async () => {
    const admin = redis.connect();
    await tracks(admin, 'A', 'one');
    await using it = recoverer({ gemGraceMs: 1_000 });
    await it.made.start();
    await eventually(async () => expect(await admin.exists(keyspace.gemScan)).toBe(1)); // seen, without a heartbeat
    await beats(admin, 'A');
    const { passes } = it.made.counts;
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(passes + 22)); // 50 ms each
    expect(await admin.llen('queue:q')).toBe(0);
  });

  test('S5: a payload that can not be read goes to dead with its bytes, and keeps nobody', async () => {
    const admin = redis.connect();
    const odd = [Buffer.from('{not json'), Buffer.from([0xff, 0xfe]), Buffer.from(''), Buffer.from('[]')];
    for (const [at, bytes] of odd.entries()) await tracks(admin, 'A', `odd ${at}`, bytes);
    await tracks(admin, 'A', 'good');
    await using it = recoverer();
    await it.made.start();
    await eventually(async () => expect(await fetchOrder(admin, 'q')).toEqual([jobOf('good')]));
    const dead = (await admin.zrangeBuffer('dead', '0', '-1')).map((bytes) => bytes.toString('hex'));
    expect(dead.toSorted()).toEqual(odd.map((bytes) => bytes.toString('hex')).toSorted());
    expect(it.logger.matching('error', 'can not be read: they are in dead')).not.toEqual([]);
    expect(await admin.exists(keyspace.jobs(asId('A')))).toBe(0);
  });

  test('outside of a namespace of the gem nobody looks, unless it is asked for', async () => {
    const admin = redis.connect();
    const plain = new Keyspace('tsq');
    await admin.sadd(plain.jobs(asId('A')), 'one');
    await admin.set(plain.job('one' as Member), jobOf('one'));
    const scans = async () => /cmdstat_scan:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? '0';
    await admin.config('RESETSTAT');
    const common = {
      location: { url: redis.url },
      startDelayMs: 0,
      intervalMs: 20,
      watchIntervalMs: 0,
      gemGraceMs: 20,
    };
    const silent = new Recoverer({ ...common, instance: new Instance('t') });
    await silent.start();
    await eventually(() => expect(silent.counts.passes).toBeGreaterThan(5));
    await silent.stop(AbortSignal.timeout(5_000));
    expect(await scans()).toBe('0');
    const asked = new Recoverer({ ...common, instance: new Instance('t'), gemScanIntervalMs: 20 });
    await asked.start();
    await eventually(async () => expect(await fetchOrder(admin, 'q')).toEqual([jobOf('one')]));
    await asked.stop(AbortSignal.timeout(5_000));
    expect(Number(await scans())).toBeGreaterThan(0);
  });

  test('a scan of a big keyspace is bit by bit, and one for the whole fleet', async () => {
    const admin = redis.connect();
    const some = Array.from({ length: 30_000 }, (_, at) => [`some:${at}`, '1']).flat();
    await admin.mset(...some);
    await tracks(admin, 'A', 'one');
    await admin.config('RESETSTAT');
    await using it = recoverer({ gemScanIntervalMs: 60_000 });
    await using other = recoverer({ gemScanIntervalMs: 60_000 });
    for (const { instance } of [it, other]) await beats(admin, instance.id); // who lives keeps its turn
    await Promise.all([it.made.start(), other.made.start()]);
    await eventually(async () => expect(await fetchOrder(admin, 'q')).toEqual([jobOf('one')]));
    const stats = await admin.info('commandstats');
    expect(stats).not.toContain('cmdstat_keys');
    const calls = Number(/cmdstat_scan:calls=(\d+)/.exec(stats)?.[1]);
    expect(calls).toBeGreaterThan(20); // more than one slice
    expect(calls).toBeLessThan(90); // 500 keys each: by one of the two
  });

  test('what stands under an id of ours that no registry knows goes back as a claim of ours', async () => {
    const admin = redis.connect();
    const id = new Instance('lost').id;
    await hold(admin, keyspace, id, [{ queue: 'named-by-the-member', bytes: jobOf('one') }]);
    await using it = recoverer();
    await it.made.start();
    await eventually(async () =>
      expect(await fetchOrder(admin, 'named-by-the-member')).toEqual([jobOf('one')]),
    );
    expect(await admin.exists(keyspace.jobs(id), keyspace.claims(id))).toBe(0);
  });

  test('S3: while an instance of the gem has the lock nothing is put back, not even when its heartbeat is over', async () => {
    const admin = redis.connect();
    await tracks(admin, 'A', 'one');
    await admin.set(keyspace.recoveryLock, 'a1b2c3d4e5f60718', 'EX', 300); // it was told to stop, in the middle of its pass
    await using it = recoverer();
    await it.made.start();
    const looks = async () => /cmdstat_scan:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1];
    await admin.config('RESETSTAT');
    await eventually(async () => expect(Number(await looks())).toBeGreaterThan(5));
    expect(await admin.llen('queue:q')).toBe(0);
    await admin.del(keyspace.recoveryLock);
    await eventually(async () => expect(await fetchOrder(admin, 'q')).toEqual([jobOf('one')]));
  });

  describe('the lock that the gem takes too', () => {
    const ours = new Instance('web-1').id;
    const take = (admin: Redis) => takeLock(admin, keyspace, 'recoveryLock', ours, 60_000, 'with-gem');

    test.each([
      ['the gem, alive', 'a1b2c3d4e5f60718', true, 'held'],
      ['the gem, its heartbeat over', 'a1b2c3d4e5f60718', false, 'held'],
      ['the gem, under a name of its own', 'host:1', false, 'held'],
      ['one of ours, alive', new Instance('web-2').id, true, 'held'],
      ['one of ours that died', new Instance('web-2').id, false, 'taken'],
    ])('held by %s', async (_who, holder, isAlive, expected) => {
      const admin = redis.connect();
      await admin.set(keyspace.recoveryLock, holder, 'EX', 300);
      if (isAlive) await beats(admin, holder);
      expect(await take(admin)).toBe(expected);
    });

    test("one that never expires is nobody's: the gem always sets an end", async () => {
      const admin = redis.connect();
      await admin.set(keyspace.recoveryLock, 'a stranger');
      expect(await take(admin)).toBe('taken');
    });
  });

  describe('recover-gem', () => {
    const one = jobOf('one');

    test('S4: while there is a heartbeat, and of an instance of tsq, nothing is written', async () => {
      const admin = redis.connect();
      await tracks(admin, 'A', 'one');
      await beats(admin, 'A');
      expect(await recover(admin, 'A', [['one', one]])).toBe('alive');
      await admin.del(keyspace.instance(asId('A')));
      await beat(admin, keyspace, asId('A'), 60_000, 'register');
      await admin.del(keyspace.instance(asId('A')));
      expect(await recover(admin, 'A', [['one', one]])).toBe('own');
      await admin.smove(keyspace.instances, keyspace.deadInstances, 'A');
      expect(await recover(admin, 'A', [['one', one]])).toBe('own');
      expect(await admin.llen('queue:q')).toBe(0);
      expect(await admin.scard(keyspace.jobs(asId('A')))).toBe(1);
    });

    test('S3: of five at once one puts back, and an orphan named twice goes back once', async () => {
      const connections = Array.from({ length: 5 }, () => redis.connect());
      const [admin] = connections;
      if (admin === undefined) throw new Error('expected five');
      await tracks(admin, 'A', 'one');
      const steps = await Promise.all(
        connections.map((each) =>
          recover(each, 'A', [
            ['one', one],
            ['one', one],
          ]),
        ),
      );
      expect(steps.map((step) => (typeof step === 'string' ? 0 : step.recovered)).toSorted()).toEqual([
        0, 0, 0, 0, 1,
      ]);
      expect(await fetchOrder(admin, 'q')).toEqual([one]);
    });

    test('what the gem has deleted since it was read does not go back, and what it has written anew waits', async () => {
      const admin = redis.connect();
      await tracks(admin, 'A', 'one');
      await tracks(admin, 'A', 'two');
      await admin.del(keyspace.job(gemMember('one'))); // the gem's own recovery is about to push it
      await tracks(admin, 'A', 'two', jobOf('two', 'anew'));
      const step = await recover(admin, 'A', [
        ['one', one],
        ['two', jobOf('two')],
      ]);
      expect(step).toMatchObject({ recovered: 0, missing: [], ended: 0 });
      expect(await recover(admin, 'A', [['one', null]])).toMatchObject({ missing: ['one'], ended: 1 });
      expect(await admin.smembers(keyspace.jobs(asId('A')))).toEqual(['two']);
    });

    test("S1: a jid that another instance tracks too is that one's: its payload stays", async () => {
      const admin = redis.connect();
      await tracks(admin, 'A', 'one');
      await tracks(admin, 'B', 'one');
      expect(await recover(admin, 'A', [['one', one]], ['B'])).toMatchObject({ recovered: 0, ended: 1 });
      expect(await admin.get(keyspace.job(gemMember('one')))).toBe(one);
      expect(await recover(admin, 'B', [['one', one]], ['A'])).toMatchObject({ recovered: 1, ended: 1 });
      expect(await fetchOrder(admin, 'q')).toEqual([one]);
    });

    test('S1: what a key of another type keeps stays tracked, and keeps no other', async () => {
      const admin = redis.connect();
      await tracks(admin, 'A', 'stuck', jobOf('stuck', 'broken'));
      await tracks(admin, 'A', 'one');
      await tracks(admin, 'A', 'odd', 'odd');
      await admin.set('queue:broken', 'x');
      await admin.set('dead', 'x');
      const step = await recover(admin, 'A', [
        ['stuck', jobOf('stuck', 'broken')],
        ['one', one],
        ['odd', 'odd'],
      ]);
      expect(step).toMatchObject({ recovered: 1, ended: 1, blockedBy: ['queue:broken', 'dead'] });
      expect((await admin.smembers(keyspace.jobs(asId('A')))).toSorted()).toEqual(['odd', 'stuck']);
    });

    test('a full Redis takes it', async () => {
      const admin = redis.connect();
      await tracks(admin, 'A', 'one');
      await tracks(admin, 'A', 'odd', 'odd');
      await recover(admin, 'nobody', []); // the script is known from here on
      await admin.config('SET', 'maxmemory', '1mb');
      try {
        await expect(admin.lpush('queue:q', 'x')).rejects.toThrow('OOM');
        expect(
          await recover(admin, 'A', [
            ['one', one],
            ['odd', 'odd'],
          ]),
        ).toMatchObject({ ended: 2 });
        expect([await admin.llen('queue:q'), await admin.zcard('dead')]).toEqual([1, 1]);
      } finally {
        await admin.config('SET', 'maxmemory', '0');
      }
    });
  });

  test('L2: a job that was put back three times is poison at the next death, whoever ran it', async () => {
    const admin = redis.connect();
    await using it = recoverer();
    const buried: string[] = [];
    it.made.onPoison(({ jid, queue, fate }) => buried.push(`${jid} of ${queue}: ${fate}`));
    await it.made.start();
    for (let death = 1; death <= 4; death += 1) {
      await admin.del('queue:q');
      await tracks(admin, `A${death}`, 'poison');
      await eventually(async () => expect(await admin.exists(keyspace.jobs(asId(`A${death}`)))).toBe(0));
    }
    expect(buried).toEqual(['poison of q: dead']);
    expect(await admin.llen('queue:q')).toBe(0);
    expect(String(await admin.zrange('dead', '0', '-1'))).toContain('TSQ_JOB_POISON');
    expect(it.made.counts).toMatchObject({ recovered: 3, poison: 1, deaths: 4 });
  });
});
