/** What becomes of a job when Redis did not answer, refused or could not write its release or its outcome: one test for each order of events. */
import { describe, expect, test } from '@jest/globals';
import type { Outcome, TsqError } from '@tsq/core';
import { eventually, TcpProxy, useRedis } from '@tsq/core/test-support';
import type { ClaimedUnit } from './claimed-unit.js';
import { Keyspace } from './keyspace.js';
import { type OpenFetcher, openFetcher } from './test-support/open-fetcher.js';
import type { TrackingFetcherOptions } from './tracking-fetcher-options.js';

const keyspace = new Keyspace();
const again = { kind: 'retry', bytes: Buffer.from('again'), delaySeconds: 5 } as const;

describe('unconfirmed outcomes', () => {
  const redis = useRedis();

  /** A fetcher behind a proxy; both scripts are known to Redis, so that each later call is one EVALSHA. */
  async function behindProxy(options: Partial<TrackingFetcherOptions> = {}) {
    const proxy = await TcpProxy.before(redis.port);
    const open = await openFetcher(redis, { location: { url: proxy.url }, ...options });
    const [warm] = await claim(open, 'warm');
    await warm?.settle({ kind: 'done' });
    const close = async () => {
      proxy.mode = 'pass';
      await open.fetcher.stop(AbortSignal.abort());
      await proxy.close();
    };
    return { ...open, proxy, [Symbol.asyncDispose]: close };
  }

  async function claim({ admin, fetcher }: OpenFetcher, ...jobs: string[]): Promise<readonly ClaimedUnit[]> {
    if (jobs.length > 0) await admin.lpush('queue:a', ...jobs);
    return await fetcher.fetch(['a'], jobs.length);
  }

  const claims = ({ admin, instance }: OpenFetcher) => admin.smembers(keyspace.jobs(instance.id));

  /** The release is executed, its reply is lost, and `then` is called before anything is sent again. */
  async function releaseUnheard(it: Awaited<ReturnType<typeof behindProxy>>, unit: ClaimedUnit) {
    const dropped = it.proxy.dropReplyTo('EVALSHA');
    unit.release();
    await dropped;
    expect(await claims(it)).toEqual([]);
  }

  test('S1: a job whose release was executed unheard is not taken for lost, and its failure is written', async () => {
    await using it = await behindProxy();
    const [unit] = await claim(it, 'one');
    if (unit === undefined) throw new Error('nothing was claimed');
    const heard: TsqError[] = [];
    unit.whenLost = (reason) => heard.push(reason);
    await releaseUnheard(it, unit);
    await eventually(() => it.fetcher.reconcile());
    expect(heard).toEqual([]);
    expect(await unit.settle(again)).toBe('settled');
    expect(await it.admin.zrange('retry', '0', '-1')).toEqual(['again']);
    expect(it.fetcher.counts).toEqual({ lost: 0, adopted: 0, unconfirmed: 0, cancelled: 0 });
  });

  test('S1: an outcome that follows an unheard release before it is sent again is written, once', async () => {
    await using it = await behindProxy();
    const [unit] = await claim(it, 'one');
    if (unit === undefined) throw new Error('nothing was claimed');
    await releaseUnheard(it, unit);
    expect(await unit.settle(again)).toBe('settled');
    expect(await it.admin.zrange('retry', '0', '-1')).toEqual(['again']);
    expect(await claims(it)).toEqual([]);
  });

  test('S1: the retry of a job without a claim is written again after a lost reply, and is one entry', async () => {
    await using it = await behindProxy();
    const [unit] = await claim(it, 'one');
    if (unit === undefined) throw new Error('nothing was claimed');
    unit.release();
    await eventually(() => expect(unit.claim).toBe('none')); // confirmed: from here on at-most-once
    const dropped = it.proxy.dropReplyTo('EVALSHA');
    const settled = unit.settle(again);
    await dropped;
    expect(await it.admin.zrange('retry', '0', '-1')).toEqual(['again']);
    await it.admin.config('RESETSTAT');
    expect(await settled).toBe('settled');
    expect(await it.admin.info('commandstats')).toMatch(/cmdstat_zadd:calls=1,/);
    expect(await it.admin.zrange('retry', '0', '-1')).toEqual(['again']);
  });

  test('S2: an outcome that follows an unheard release is refused when the instance was declared dead meanwhile', async () => {
    await using it = await behindProxy();
    const [unit] = await claim(it, 'one');
    if (unit === undefined) throw new Error('nothing was claimed');
    await releaseUnheard(it, unit);
    await it.admin.srem(keyspace.instances, it.instance.id);
    expect(await unit.settle(again)).toBe('lost');
    expect(await it.admin.zcard('retry')).toBe(0);
  });

  test('S1: a requeue of a released job that Redis refuses at a stop is sent until Redis takes it', async () => {
    await using it = await openFetcher(redis);
    const [unit] = await claim(it, 'one');
    unit?.release();
    await eventually(async () => expect(await claims(it)).toEqual([]));
    const { instances } = keyspace;
    await it.admin.rename(instances, 'away');
    await it.admin.set(instances, 'in the way: settle.lua is refused before it writes');
    const settled = unit?.settle({ kind: 'requeue' });
    const stopped = it.fetcher.stop(AbortSignal.timeout(20_000));
    await eventually(() => expect(it.logger.matching('warn', 'not confirmed').length).toBeGreaterThan(0));
    await it.admin.rename('away', instances);
    await stopped;
    expect(await settled).toBe('settled');
    expect(await it.admin.lrange('queue:a', 0, -1)).toEqual(['one']);
    expect(it.fetcher.counts.unconfirmed).toBe(0);
  });

  test.each<Outcome>([{ kind: 'requeue' }, { kind: 'yield', bytes: Buffer.from('one') }])(
    'a push of a released job whose reply is lost is not sent twice, and is counted: $kind',
    async (push) => {
      await using it = await behindProxy();
      const [unit] = await claim(it, 'one');
      unit?.release();
      await eventually(async () => expect(await claims(it)).toEqual([]));
      await it.fetcher.fetch(['none'], 1); // the release is confirmed
      const dropped = it.proxy.dropReplyTo('EVALSHA');
      const settled = unit?.settle(push);
      await Promise.all([dropped, expect(settled).rejects.toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE' })]);
      expect(await it.admin.lrange('queue:a', 0, -1)).toEqual(['one']);
      expect(it.fetcher.counts.unconfirmed).toBe(1);
    },
  );

  test('S1: a stop outlasts a Redis that stalls, and then writes what it was told', async () => {
    await using it = await behindProxy({ commandTimeoutMs: 200 });
    const [unit] = await claim(it, 'one');
    it.proxy.mode = 'hole';
    const settled = unit?.settle({ kind: 'requeue' });
    const stopped = it.fetcher.stop(AbortSignal.timeout(20_000));
    await eventually(() => expect(it.logger.matching('debug', 'not confirmed').length).toBeGreaterThan(0));
    it.proxy.mode = 'pass';
    await stopped;
    expect(await settled).toBe('settled');
    expect(await it.admin.lrange('queue:a', 0, -1)).toEqual(['one']);
    expect(await claims(it)).toEqual([]);
  });

  test('an outcome that can not be written waits apart: later claims do not carry it, its own timer does', async () => {
    await using it = await openFetcher(redis, { retryBlockedAfterMs: 600_000 });
    await it.admin.set('retry', 'not a sorted set');
    const [unit] = await claim(it, 'one');
    const settled = unit?.settle(again);
    await eventually(() => expect(it.logger.matching('error', 'can not be written')).toHaveLength(1));
    await it.admin.del('retry');
    const [two] = await claim(it, 'two');
    expect(await two?.settle({ kind: 'done' })).toBe('settled');
    expect(await it.admin.zcard('retry')).toBe(0);
    await it.fetcher.stop(AbortSignal.timeout(20_000)); // which is the other time that it is sent
    expect(await settled).toBe('settled');
    expect(await it.admin.zrange('retry', '0', '-1')).toEqual(['again']);
  });

  test('an outcome that can not be written is written soon after somebody has mended the key', async () => {
    await using it = await openFetcher(redis, { retryBlockedAfterMs: 20 });
    await it.admin.set('retry', 'not a sorted set');
    const [unit] = await claim(it, 'one');
    const settled = unit?.settle(again);
    await eventually(() => expect(it.logger.matching('error', 'can not be written')).toHaveLength(1));
    await it.admin.del('retry');
    expect(await settled).toBe('settled');
    expect(it.logger.matching('error', 'can not be written')).toHaveLength(1);
  });

  test('S1: a stop does not wait for an outcome that can not be written, and leaves its claim to recovery', async () => {
    await using it = await openFetcher(redis);
    await it.admin.set('retry', 'not a sorted set');
    const [unit] = await claim(it, 'one');
    const settled = expect(unit?.settle(again)).rejects.toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE' });
    await eventually(() => expect(it.logger.matching('error', 'can not be written')).toHaveLength(1));
    await it.fetcher.stop(new AbortController().signal); // a deadline that never comes
    await settled;
    expect(await claims(it)).toHaveLength(1);
    expect(it.logger.matching('error', 'Recovery finds the jobs')).toHaveLength(1);
  });

  test('with very many outcomes that can not be written nothing more is claimed, until they are', async () => {
    await using it = await openFetcher(redis, { retryBlockedAfterMs: 20 });
    await it.admin.set('retry', 'not a sorted set');
    const names = Array.from({ length: 1_001 }, (_, index) => `job ${index}`);
    await it.admin.lpush('queue:a', ...names);
    const units: ClaimedUnit[] = [];
    while (units.length < names.length) units.push(...(await it.fetcher.fetch(['a'], 500)));
    const settled = Promise.all(units.map((unit) => unit.settle({ ...again, bytes: unit.bytes })));
    await it.admin.lpush('queue:a', 'one more');
    await eventually(async () =>
      expect(await it.fetcher.fetch(['none'], 1).catch(({ code }: TsqError) => code)).toBe(
        'TSQ_REDIS_UNSUITABLE',
      ),
    );
    await it.admin.del('retry');
    expect(new Set(await settled)).toEqual(new Set(['settled']));
    expect(await it.admin.zcard('retry')).toBe(1_001);
    expect((await it.fetcher.fetch(['a'], 1)).map(String)).toHaveLength(1);
  });

  test('S2: who begins to run a job whose claim was lost while it waited hears of it at once', async () => {
    await using it = await openFetcher(redis);
    const [unit] = await claim(it, 'one');
    await it.admin.del(keyspace.jobs(it.instance.id));
    await it.fetcher.reconcile();
    const heard: unknown[] = [];
    if (unit !== undefined) unit.whenLost = (reason) => heard.push(reason);
    expect(heard).toEqual([expect.objectContaining({ code: 'TSQ_CLAIM_LOST' })]);
  });

  test('S1: a job that is adopted while nobody fetches any more goes back to its queue', async () => {
    await using it = await behindProxy();
    await it.admin.lpush('queue:a', 'one');
    const dropped = it.proxy.dropReplyTo('EVALSHA');
    await expect(it.fetcher.fetch(['a'], 1)).rejects.toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE' });
    await dropped;
    await it.fetcher.quiet();
    await eventually(() => it.fetcher.reconcile());
    await eventually(async () => expect(await it.admin.lrange('queue:a', 0, -1)).toEqual(['one']));
    expect([await claims(it), it.fetcher.holding]).toEqual([[], 0]);
  });

  test.each(['1.5', '1e3', '1234567890123456'])(
    'S1: a batch number of %s makes the claim fail before it takes a job',
    async (number) => {
      await using it = await openFetcher(redis);
      await it.admin.set(keyspace.claims(it.instance.id), number);
      await expect(claim(it, 'one')).rejects.toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE' });
      expect(await it.admin.lrange('queue:a', 0, -1)).toEqual(['one']);
    },
  );
});
