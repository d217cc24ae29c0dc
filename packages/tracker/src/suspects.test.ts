import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { cancelJob, type UnitOfWork } from '@tsq/core';
import { eventually, TcpProxy, useRedis } from '@tsq/core/test-support';
import type { Redis } from 'ioredis';
import { Instance } from './instance.js';
import { Keyspace } from './keyspace.js';
import { recoveryWindowSeconds } from './suspects.js';
import { TrackingFetcher } from './tracking-fetcher.js';

const keyspace = new Keyspace();

describe('jobs that were recovered before', () => {
  const redis = useRedis();

  async function started(url = redis.url) {
    const instance = new Instance('test');
    const admin = redis.connect();
    await admin.sadd(keyspace.instances, instance.id);
    const fetcher = new TrackingFetcher({ location: { url }, instance });
    await fetcher.start();
    return { fetcher, instance, admin, [Symbol.asyncDispose]: () => fetcher.stop(AbortSignal.abort()) };
  }

  const mark = (payload: string) => createHash('sha1').update(payload).digest('hex').slice(0, 20);

  /** Jobs at the end of the queue `q`, recovered so many times, each so long ago. */
  async function push(
    admin: Redis,
    payloads: readonly string[],
    times: number,
    secondsAgo = 0,
  ): Promise<void> {
    const [now] = await admin.time();
    const seconds = Array.from({ length: times }, () => Number(now) - secondsAgo).join(' ');
    for (const payload of payloads) {
      await admin.lpush('queue:q', payload);
      if (times > 0) await admin.hset(keyspace.recoveries, mark(payload), seconds);
    }
  }

  const texts = (units: readonly UnitOfWork[]) => units.map((unit) => unit.bytes.toString());

  test('L2: suspects run one at a time, each with its start on record, and the others at once', async () => {
    await using it = await started();
    await push(it.admin, ['once'], 1);
    await push(it.admin, ['s1', 's2'], 2);
    await push(it.admin, ['never'], 0);
    expect(texts(await it.fetcher.fetch(['q'], 10))).toEqual(['once', 'never']);
    for (const [index, name] of ['s1', 's2'].entries()) {
      const [suspect, ...more] = await it.fetcher.fetch(['q'], 10);
      expect([suspect?.bytes.toString(), more]).toEqual([name, []]);
      expect(await it.admin.get(keyspace.suspect(it.instance.id))).toBe(`${it.instance.id}.1.${index + 1}@q`);
      expect(await it.fetcher.fetch(['q'], 10)).toEqual([]);
      const woken = it.fetcher.wait(['q'], new AbortController().signal);
      await suspect?.settle({ kind: 'done' });
      await woken;
    }
    expect(await it.admin.hkeys(keyspace.recoveries)).toEqual([mark('once')]);
  });

  test('recoveries of more than 72 hours ago make no suspect', async () => {
    await using it = await started();
    await push(it.admin, ['old'], 3, recoveryWindowSeconds + 1);
    expect(texts(await it.fetcher.fetch(['q'], 10))).toEqual(['old']);
  });

  test('L3: a job that ends takes its count away, however it ends; one that goes back keeps it', async () => {
    await using it = await started();
    await push(it.admin, ['done', 'retry', 'dead', 'discarded', 'requeue', 'released'], 1);
    const units = await it.fetcher.fetch(['q'], 10);
    const bytes = Buffer.from('with its error');
    await units[0]?.settle({ kind: 'done' });
    await units[1]?.settle({ kind: 'retry', bytes, delaySeconds: 60 });
    await units[2]?.settle({ kind: 'dead', bytes });
    await units[3]?.settle({ kind: 'discarded' });
    await units[4]?.settle({ kind: 'requeue' });
    units[5]?.release();
    await eventually(async () =>
      expect(await it.admin.hkeys(keyspace.recoveries)).toEqual([mark('requeue')]),
    );
  });

  test('L2: a job that yields keeps its count, though its bytes change', async () => {
    await using it = await started();
    await push(it.admin, ['poison'], 2);
    const next = async () => {
      expect(await it.fetcher.fetch(['q'], 1)).toEqual([]); // a suspect: kept until it is its turn
      return (await it.fetcher.fetch(['q'], 1))[0];
    };
    const suspect = await next();
    const later = Buffer.from('poison, enqueued later');
    const counted = await it.admin.hget(keyspace.recoveries, mark('poison'));
    await suspect?.settle({ kind: 'yield', bytes: later });
    expect(await it.admin.hgetall(keyspace.recoveries)).toEqual({ [mark(later.toString())]: counted });
    const again = await next();
    expect(await it.admin.get(keyspace.suspect(it.instance.id))).toBe(`${it.instance.id}.2.0@q`);
    await again?.settle({ kind: 'done' });
    expect(await it.admin.exists(keyspace.recoveries)).toBe(0);
  });

  test('a claim looks at what it brought, not at all that is held', async () => {
    await using it = await started();
    await push(it.admin, ['held'], 1);
    await it.fetcher.fetch(['q'], 1);
    await push(it.admin, ['next'], 1);
    await it.admin.config('RESETSTAT');
    expect(texts(await it.fetcher.fetch(['q'], 1))).toEqual(['next']);
    expect(await it.admin.info('commandstats')).toMatch(/cmdstat_hget:calls=1,/);
  });

  test('of a big payload its ends and its length are its mark', async () => {
    await using it = await started();
    const big = (middle: string) => `${'a'.repeat(40_000)}${middle}${'z'.repeat(40_000)}`;
    await it.admin.lpush('queue:q', big('1'), big('22'));
    const ends = `80001${'a'.repeat(32_768)}${'z'.repeat(32_768)}`;
    const [now] = await it.admin.time();
    await it.admin.hset(keyspace.recoveries, mark(ends), `${now} ${now}`);
    expect(texts(await it.fetcher.fetch(['q'], 10))).toEqual([big('22')]);
    expect(texts(await it.fetcher.fetch(['q'], 10))).toEqual([big('1')]);
  });

  test('a suspect whose claim was adopted is held back like any other', async () => {
    const proxy = await TcpProxy.before(redis.port);
    await using _closing = { [Symbol.asyncDispose]: () => proxy.close() };
    await using it = await started(proxy.url);
    await push(it.admin, ['s1', 's2'], 2);
    const dropped = proxy.dropReplyTo('tsq:claims:');
    await expect(it.fetcher.fetch(['q'], 10)).rejects.toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE' });
    await dropped;
    const given = await eventually(async () => {
      const units = await it.fetcher.fetch(['q'], 10);
      expect(units).toHaveLength(1);
      return units;
    });
    expect(it.fetcher.holding).toBe(2);
    expect(await it.admin.get(keyspace.suspect(it.instance.id))).toContain(it.instance.id);
    expect(await it.fetcher.fetch(['q'], 10)).toEqual([]);
    await given[0]?.settle({ kind: 'done' });
    expect(await it.fetcher.fetch(['q'], 10)).toHaveLength(1);
  });

  test('S1: those that wait for their turn go back to their queue, in order, when no more are to start', async () => {
    await using it = await started();
    await push(it.admin, ['s1', 's2', 's3'], 2);
    expect(await it.fetcher.fetch(['q'], 10)).toEqual([]);
    await it.fetcher.quiet();
    await eventually(async () => expect(await it.admin.lrange('queue:q', 0, -1)).toEqual(['s3', 's2', 's1']));
    expect(it.fetcher.holding).toBe(0);
  });

  test('L3: one that was cancelled while it waited in its queue is dropped at its claim, and its count goes with it', async () => {
    await using it = await started();
    const job = (jid: string) => `{"class":"Mine","args":[],"jid":"${jid}"}`;
    await push(it.admin, [job('cancelled'), job('kept')], 2);
    await cancelJob(it.admin, 'cancelled');
    expect(await it.fetcher.fetch(['q'], 10)).toEqual([]);
    expect(it.fetcher.counts.cancelled).toBe(1);
    expect(texts(await it.fetcher.fetch(['q'], 10))).toEqual([job('kept')]);
    await eventually(async () =>
      expect(await it.admin.hkeys(keyspace.recoveries)).toEqual([mark(job('kept'))]),
    );
  });

  test('one that is cancelled while it waits for its turn is dropped when that comes', async () => {
    await using it = await started();
    const job = (jid: string) => `{"class":"Mine","args":[],"jid":"${jid}"}`;
    await push(it.admin, ['first', 'second', 'third'].map(job), 2);
    expect(await it.fetcher.fetch(['q'], 10)).toEqual([]);
    const [first] = await it.fetcher.fetch(['q'], 10);
    await cancelJob(it.admin, 'second');
    await first?.settle({ kind: 'done' });
    expect(texts(await it.fetcher.fetch(['q'], 10))).toEqual([job('third')]);
    expect(it.fetcher.counts.cancelled).toBe(1);
    expect(await it.admin.get(keyspace.suspect(it.instance.id))).toMatch(/\.1\.2@q$/);
    await eventually(async () =>
      expect(await it.admin.hkeys(keyspace.recoveries)).toEqual([mark(job('third'))]),
    );
  });

  test('S2: a suspect whose claim was lost while it waited is not given out', async () => {
    await using it = await started();
    await push(it.admin, ['s1', 's2'], 2);
    expect(await it.fetcher.fetch(['q'], 10)).toEqual([]);
    await it.admin.srem(keyspace.jobs(it.instance.id), `${it.instance.id}.1.0@q`);
    expect(texts(await it.fetcher.fetch(['q'], 10))).toEqual(['s2']);
    await it.fetcher.reconcile();
    expect(it.fetcher.counts.lost).toBe(1);
  });

  test('with a hundred that wait nothing more is taken, until one has ended', async () => {
    await using it = await started();
    await push(
      it.admin,
      Array.from({ length: 150 }, (_, index) => `s${index}`),
      2,
    );
    await it.fetcher.fetch(['q'], 110);
    const [first] = await it.fetcher.fetch(['q'], 10);
    for (let more = 0; more < 3; more += 1) await it.fetcher.fetch(['q'], 10);
    expect(await it.admin.llen('queue:q')).toBe(40);
    await first?.settle({ kind: 'done' });
    expect(await it.fetcher.fetch(['q'], 10)).toHaveLength(1);
  });

  test('a full Redis takes the start of a suspect', async () => {
    await using it = await started();
    await push(it.admin, ['s1'], 2);
    await it.admin.config('SET', 'maxmemory', '1mb');
    try {
      expect(await it.fetcher.fetch(['q'], 10)).toEqual([]);
      expect(texts(await it.fetcher.fetch(['q'], 10))).toEqual(['s1']);
    } finally {
      await it.admin.config('SET', 'maxmemory', '0');
    }
  });

  test('a key of the wrong type keeps no job from running', async () => {
    await using it = await started();
    await it.admin.lpush('queue:q', 'one');
    await it.admin.set(keyspace.recoveries, 'x');
    const [unit] = await it.fetcher.fetch(['q'], 10);
    expect(await unit?.settle({ kind: 'done' })).toBe('settled');
  });
});
