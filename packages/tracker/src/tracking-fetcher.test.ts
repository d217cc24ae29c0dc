import { describe, expect, test } from '@jest/globals';
import type { UnitOfWork } from '@tsq/core';
import {
  eventually,
  itIsAComponent,
  itIsAFetcher,
  RecordingLogger,
  TcpProxy,
  useRedis,
} from '@tsq/core/test-support';
import type { Redis } from 'ioredis';
import { Instance } from './instance.js';
import { Keyspace } from './keyspace.js';
import type { LostClaim } from './lost-claim.js';
import { TrackingFetcher } from './tracking-fetcher.js';
import type { TrackingFetcherOptions } from './tracking-fetcher-options.js';

const keyspace = new Keyspace();

describe('TrackingFetcher', () => {
  const redis = useRedis();

  async function started(options: Partial<TrackingFetcherOptions> = {}) {
    const instance = options.instance ?? new Instance('test');
    const admin = redis.connect();
    await admin.sadd(keyspace.instances, instance.id);
    const fetcher = new TrackingFetcher({ location: { url: redis.url }, instance, ...options });
    await fetcher.start();
    return { fetcher, instance, admin, [Symbol.asyncDispose]: () => fetcher.stop(AbortSignal.abort()) };
  }

  async function push(admin: Redis, queue: string, ...payloads: (string | Buffer)[]): Promise<void> {
    for (const payload of payloads) await admin.lpush(`queue:${queue}`, payload);
  }

  const texts = (units: readonly UnitOfWork[]) => units.map((unit) => unit.bytes.toString());

  describe('as a component', () => {
    itIsAComponent(
      () => new TrackingFetcher({ location: { url: redis.url }, instance: new Instance('test') }),
    );
  });

  describe('as a fetcher', () => {
    itIsAFetcher(redis, async () => {
      const instance = new Instance('test');
      await redis.connect().sadd(keyspace.instances, instance.id);
      return new TrackingFetcher({ location: { url: redis.url }, instance });
    });
  });

  test('S1: what it took is noted as its own, with its bytes, until the outcome is settled', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'one', 'two');
    const [unit] = await it.fetcher.fetch(['a'], 1);
    expect(unit?.bytes.toString()).toBe('one');
    const [member] = await it.admin.smembers(keyspace.jobs(it.instance.id));
    expect(member).toBe(`${it.instance.id}.1.0@a`);
    expect(await it.admin.get(`tsq:job:${member}`)).toBe('one');
    expect(await unit?.settle({ kind: 'done' })).toBe('settled');
    expect(await it.admin.keys('tsq:job*')).toEqual([]);
    expect(await it.admin.lrange('queue:a', 0, -1)).toEqual(['two']);
  });

  test('S2: after a Redis that forgot its last writes, the end of a forgotten claim ends no later one', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'one', 'two');
    const [forgotten] = await it.fetcher.fetch(['a'], 1);
    await it.admin.del(keyspace.jobs(it.instance.id), keyspace.claims(it.instance.id));
    await it.admin.del(`tsq:job:${it.instance.id}.1.0@a`);
    await it.admin.rpush('queue:a', 'one'); // as before its claim
    const [one, two] = await it.fetcher.fetch(['a'], 2);
    await forgotten?.settle({ kind: 'done' });
    expect(await it.admin.scard(keyspace.jobs(it.instance.id))).toBe(2);
    await one?.settle({ kind: 'retry', bytes: Buffer.from('one failed'), delaySeconds: 100 });
    await two?.settle({ kind: 'retry', bytes: Buffer.from('two failed'), delaySeconds: 100 });
    expect((await it.admin.zrange('retry', '0', '-1')).toSorted()).toEqual(['one failed', 'two failed']);
  });

  test('queues are asked in the order given, and a batch is filled from the next one', async () => {
    await using it = await started();
    await push(it.admin, 'low', 'l1', 'l2');
    await push(it.admin, 'high', 'h1', 'h2');
    expect(texts(await it.fetcher.fetch(['high', 'low'], 3))).toEqual(['h1', 'h2', 'l1']);
    expect(texts(await it.fetcher.fetch(['high', 'low'], 3))).toEqual(['l2']);
    expect(await it.fetcher.fetch(['high', 'low'], 3)).toEqual([]);
  });

  test('a paused queue is passed over, and taken from again when it is unpaused', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'a1');
    await push(it.admin, 'b', 'b1');
    await it.admin.sadd('paused', 'a');
    expect(texts(await it.fetcher.fetch(['a', 'b'], 5))).toEqual(['b1']);
    const woken = it.fetcher.wait(['a', 'b'], new AbortController().signal);
    await it.admin.srem('paused', 'a');
    await woken;
    expect(texts(await it.fetcher.fetch(['a', 'b'], 5))).toEqual(['a1']);
  });

  test('an instance that is not registered takes nothing', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'a1');
    await it.admin.srem(keyspace.instances, it.instance.id);
    await expect(it.fetcher.fetch(['a'], 1)).rejects.toMatchObject({ code: 'TSQ_INSTANCE_UNREGISTERED' });
    expect(await it.admin.llen('queue:a')).toBe(1);
  });

  test('each outcome leaves what it says: retry by Redis clock, dead, requeue at the head of the line', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'r', 'd', 'q', 'x', 'last');
    const [r, d, q, x] = await it.fetcher.fetch(['a'], 4);
    const settled = await Promise.all([
      r?.settle({ kind: 'retry', bytes: Buffer.from('r2'), delaySeconds: 100 }),
      d?.settle({ kind: 'dead', bytes: Buffer.from('d2') }),
      q?.settle({ kind: 'requeue' }),
      x?.settle({ kind: 'discarded' }),
    ]);
    expect(settled).toEqual(['settled', 'settled', 'settled', 'settled']);
    const [seconds] = await it.admin.time();
    const [member, score] = await it.admin.zrange('retry', '0', '-1', 'WITHSCORES');
    expect(member).toBe('r2');
    expect(Number(score)).toBeGreaterThan(Number(seconds) + 90);
    expect(Number(score)).toBeLessThan(Number(seconds) + 101);
    expect(await it.admin.zrange('dead', '0', '-1')).toEqual(['d2']);
    expect(texts(await it.fetcher.fetch(['a'], 2))).toEqual(['q', 'last']);
  });

  test('the dead set keeps the youngest, up to its limit, and drops what is too old', async () => {
    await using it = await started({ dead: { maxJobs: 2, timeoutSeconds: 1_000 } });
    await it.admin.zadd('dead', 1, 'ancient');
    await push(it.admin, 'a', 'd1', 'd2', 'd3');
    for (const unit of await it.fetcher.fetch(['a'], 3))
      await unit.settle({ kind: 'dead', bytes: unit.bytes });
    expect(await it.admin.zrange('dead', '0', '-1')).toEqual(['d2', 'd3']);
  });

  test('settling twice writes once and answers as the first did', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'one');
    const [unit] = await it.fetcher.fetch(['a'], 1);
    const both = await Promise.all([unit?.settle({ kind: 'done' }), unit?.settle({ kind: 'requeue' })]);
    expect(both).toEqual(['settled', 'settled']);
    expect(await it.admin.llen('queue:a')).toBe(0);
  });

  test('S2: a claim that was put back by others is refused, reported, and writes nothing', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'one');
    const [unit] = await it.fetcher.fetch(['a'], 1);
    await it.admin.del(keyspace.jobs(it.instance.id)); // as recovery leaves it, with the instance out of the registry
    await it.admin.srem(keyspace.instances, it.instance.id);
    expect(await unit?.settle({ kind: 'retry', bytes: Buffer.from('x'), delaySeconds: 1 })).toBe('lost');
    expect(await it.admin.zcard('retry')).toBe(0);
    expect(it.fetcher.counts.lost).toBe(1);
  });

  test('of a lost claim its listener hears which job it was, as far as that can be read, and may throw', async () => {
    const lost: LostClaim[] = [];
    const onLost = (claim: LostClaim) => {
      lost.push(claim);
      throw new Error('the listener fails');
    };
    await using it = await started({ onLost });
    await push(it.admin, 'a', '{"class":"Billing::Charge","jid":"j1","args":[]}', 'no job');
    const units = await it.fetcher.fetch(['a'], 2);
    await it.admin.del(keyspace.jobs(it.instance.id));
    await it.fetcher.reconcile();
    const { id: instance } = it.instance;
    expect(lost).toEqual([
      { instance, member: `${instance}.1.0@a`, queue: 'a', jid: 'j1', class: 'Billing::Charge' },
      { instance, member: `${instance}.1.1@a`, queue: 'a', jid: undefined, class: undefined },
    ]);
    expect(await Promise.all(units.map((unit) => unit.settle({ kind: 'done' })))).toEqual(['lost', 'lost']);
  });

  test('S2: a job whose claim is gone hears of it when the books are compared', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'one', 'two');
    const [lost, kept] = await it.fetcher.fetch(['a'], 2);
    const heard = new Promise((resolve) => {
      if (lost !== undefined) lost.whenLost = resolve;
    });
    await it.admin.srem(keyspace.jobs(it.instance.id), `${it.instance.id}.1.0@a`);
    await it.fetcher.reconcile();
    expect(await heard).toMatchObject({ code: 'TSQ_CLAIM_LOST' });
    expect(await kept?.settle({ kind: 'done' })).toBe('settled');
  });

  test('S1: a claim whose reply was lost is adopted and runs once', async () => {
    const proxy = await TcpProxy.before(redis.port);
    {
      await using it = await started({ location: { url: proxy.url } });
      await push(it.admin, 'a', 'one', 'two', 'three');
      await it.fetcher.fetch(['none'], 1); // so that the script is known: the next EVALSHA is a claim
      const dropped = proxy.dropReplyTo('EVALSHA');
      await expect(it.fetcher.fetch(['a'], 2)).rejects.toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE' });
      await dropped;
      expect(await it.admin.llen('queue:a')).toBe(1);
      const found = await it.fetcher.fetch(['a'], 5);
      expect(texts(found).sort()).toEqual(['one', 'two']);
      expect(found.map((unit) => unit.queue)).toEqual(['a', 'a']);
      expect(it.fetcher.counts.adopted).toBe(2);
      for (const unit of found) expect(await unit.settle({ kind: 'done' })).toBe('settled');
      expect(texts(await it.fetcher.fetch(['a'], 5))).toEqual(['three']);
    }
    await proxy.close();
  });

  test('S2: what one capsule claimed in vain is adopted by it, and by no other', async () => {
    const proxy = await TcpProxy.before(redis.port);
    {
      await using it = await started({ location: { url: proxy.url } });
      await it.fetcher.fetch(['a'], 1); // from now on Redis knows the script
      await push(it.admin, 'a', 'a1', 'a2');
      const dropped = proxy.dropReplyTo('queue:a');
      await expect(it.fetcher.fetch(['a'], 2)).rejects.toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE' });
      await dropped;
      // Whoever comes first compares the books; both may do so at once.
      await push(it.admin, 'b', 'b1');
      const [b, first] = await Promise.all([it.fetcher.fetch(['b'], 5), it.fetcher.fetch(['a'], 1)]);
      const [others, second] = [await it.fetcher.fetch(['b'], 5), await it.fetcher.fetch(['a', 'b'], 5)];
      expect([texts(b), texts(others)]).toEqual([['b1'], []]);
      expect(texts([...first, ...second]).toSorted()).toEqual(['a1', 'a2']);
      expect(it.fetcher.counts.adopted).toBe(2);
      for (const unit of [...b, ...first, ...second])
        expect(await unit.settle({ kind: 'done' })).toBe('settled');
      expect(it.fetcher.holding).toBe(0);
    }
    await proxy.close();
  });

  test('a capsule whose jobs were claimed in vain wakes for them while another waits on', async () => {
    await using it = await started();
    const over = new AbortController();
    const ended: string[] = [];
    const waits = ['a', 'b'].map(async (queue) => {
      await it.fetcher.wait([queue], over.signal);
      ended.push(queue);
    });
    await it.admin.sadd(keyspace.jobs(it.instance.id), `${it.instance.id}.1.0@a`);
    await it.admin.set(`tsq:job:${it.instance.id}.1.0@a`, 'one');
    await it.fetcher.reconcile();
    await Promise.all(waits);
    await it.fetcher.wait(['a'], over.signal); // at once: a job is there
    const still = it.fetcher.wait(['b'], over.signal).then(() => ended.push('b again'));
    expect(texts(await it.fetcher.fetch(['a'], 1))).toEqual(['one']);
    expect(ended.toSorted()).toEqual(['a', 'b']);
    over.abort();
    await still;
  });

  test('a paused queue of one capsule rings no bell, whatever another capsule has claimed since', async () => {
    await using it = await started();
    await it.admin.config('RESETSTAT');
    await it.admin.sadd('paused', 'a');
    await push(it.admin, 'a', 'one');
    expect(await it.fetcher.fetch(['a'], 1)).toEqual([]);
    expect(await it.fetcher.fetch(['b'], 1)).toEqual([]);
    await it.fetcher.wait(['a'], new AbortController().signal);
    expect(await it.admin.info('commandstats')).not.toContain('cmdstat_blmove');
  });

  test('a bell wakes who waits for its queue, and not another capsule', async () => {
    await using it = await started();
    const over = new AbortController();
    const woken: string[] = [];
    const b = it.fetcher.wait(['b'], over.signal).then(() => woken.push('b'));
    const a = it.fetcher.wait(['a'], over.signal).then(() => woken.push('a'));
    await eventually(async () =>
      expect(String(await it.admin.client('LIST'))).toMatch(/cmd=blmove[\s\S]*cmd=blmove/),
    );
    await push(it.admin, 'a', 'one');
    await a;
    expect(woken).toEqual(['a']);
    over.abort();
    await b;
  });

  test('S1: an outcome whose reply was lost is sent again, and written once', async () => {
    const proxy = await TcpProxy.before(redis.port);
    {
      await using it = await started({ location: { url: proxy.url } });
      await push(it.admin, 'a', 'warm', 'one');
      const [warm, unit] = await it.fetcher.fetch(['a'], 2);
      await warm?.settle({ kind: 'done' });
      const dropped = proxy.dropReplyTo('EVALSHA');
      const settled = unit?.settle({ kind: 'requeue' });
      await dropped;
      expect(await settled).toBe('settled');
      expect(await it.admin.lrange('queue:a', 0, -1)).toEqual(['one']);
    }
    await proxy.close();
  });

  test('S2: a claim whose end is on its way is not taken for lost when the books are compared', async () => {
    await using it = await started({ flushAfterMs: 60_000 });
    await push(it.admin, 'a', 'one');
    const [unit] = await it.fetcher.fetch(['a'], 1);
    const settled = unit?.settle({ kind: 'done' });
    await it.admin.del(keyspace.jobs(it.instance.id)); // as an earlier call of it leaves it, whose reply was lost
    await it.fetcher.reconcile();
    expect(it.fetcher.counts.lost).toBe(0);
    await it.fetcher.fetch(['a'], 1); // which carries it
    expect(await settled).toBe('settled');
  });

  test('a released job leaves no claim, and its failure is still written', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'one', 'two');
    const [one, two] = await it.fetcher.fetch(['a'], 2);
    one?.release();
    two?.release();
    await eventually(async () => expect(await it.admin.scard(keyspace.jobs(it.instance.id))).toBe(0));
    expect(await one?.settle({ kind: 'retry', bytes: Buffer.from('one again'), delaySeconds: 5 })).toBe(
      'settled',
    );
    expect(await two?.settle({ kind: 'done' })).toBe('settled');
    expect(await it.admin.zrange('retry', '0', '-1')).toEqual(['one again']);
    expect(it.fetcher.holding).toBe(0);
  });

  test('stop sends the outcomes that wait, even past its deadline', async () => {
    const it = await started({ flushAfterMs: 60_000 });
    await push(it.admin, 'a', 'one', 'two');
    const [one, two] = await it.fetcher.fetch(['a'], 2);
    const settled = Promise.all([two?.settle({ kind: 'requeue' }), one?.settle({ kind: 'requeue' })]);
    await it.fetcher.stop(AbortSignal.abort());
    expect(await settled).toEqual(['settled', 'settled']);
    expect(await it.admin.lrange('queue:a', 0, -1)).toEqual(['two', 'one']);
  });

  test('a stop ends although Redis does not answer, and what was under way is said to be unconfirmed', async () => {
    const proxy = await TcpProxy.before(redis.port);
    const it = await started({ location: { url: proxy.url }, flushAfterMs: 0 });
    await push(it.admin, 'a', 'one');
    const [unit] = await it.fetcher.fetch(['a'], 1);
    expect(it.fetcher.isUnconfirmed).toBe(true);
    proxy.mode = 'hole';
    const settled = unit?.settle({ kind: 'done' });
    await it.fetcher.stop(AbortSignal.abort(), AbortSignal.timeout(100));
    expect(it.fetcher.isUnconfirmed).toBe(true);
    proxy.cutAll();
    await expect(settled).rejects.toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE' });
    expect(it.fetcher.counts.unconfirmed).toBe(1);
    await proxy.close();
  });

  test('what Redis has confirmed is not said to be unconfirmed', async () => {
    const proxy = await TcpProxy.before(redis.port);
    {
      await using it = await started({ location: { url: proxy.url } });
      await push(it.admin, 'a', 'one');
      const dropped = proxy.dropReplyTo('EVALSHA');
      await expect(it.fetcher.fetch(['a'], 1)).rejects.toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE' });
      await dropped;
      expect(it.fetcher.isUnconfirmed).toBe(true);
      const [unit] = await it.fetcher.fetch(['a'], 1);
      expect(await unit?.settle({ kind: 'done' })).toBe('settled');
      expect(it.fetcher.isUnconfirmed).toBe(false);
    }
    await proxy.close();
  });

  test('an idle worker is woken by a push to any of its queues', async () => {
    await using it = await started();
    const woken = it.fetcher.wait(['a', 'b'], new AbortController().signal);
    await eventually(async () =>
      expect(String(await it.admin.client('LIST'))).toMatch(/cmd=blmove[\s\S]*cmd=blmove/),
    );
    await push(it.admin, 'b', 'one');
    await woken;
    expect(texts(await it.fetcher.fetch(['a', 'b'], 1))).toEqual(['one']);
  });

  test('the doorbell leaves the line as it was', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'one', 'two', 'three');
    await it.fetcher.wait(['a'], new AbortController().signal);
    expect(await it.admin.lrange('queue:a', 0, -1)).toEqual(['three', 'two', 'one']);
  });

  test('a queue key of another type is passed over, and the others are served', async () => {
    await using it = await started();
    await it.admin.set('queue:broken', 'not a list');
    await push(it.admin, 'a', 'one');
    expect(texts(await it.fetcher.fetch(['broken', 'a'], 2))).toEqual(['one']);
    expect(await it.admin.get('queue:broken')).toBe('not a list');
  });

  test('S1: a retry set of another type keeps the claim until somebody has mended it', async () => {
    await using it = await started();
    await it.admin.set('retry', 'not a set');
    await push(it.admin, 'a', 'one', 'two');
    const [one, two] = await it.fetcher.fetch(['a'], 2);
    const retried = one?.settle({ kind: 'retry', bytes: Buffer.from('again'), delaySeconds: 5 });
    expect(await two?.settle({ kind: 'done' })).toBe('settled');
    expect(await it.admin.scard(keyspace.jobs(it.instance.id))).toBe(1);
    await it.admin.del('retry');
    await it.fetcher.fetch(['a'], 1);
    expect(await retried).toBe('settled');
    expect(await it.admin.zrange('retry', '0', '-1')).toEqual(['again']);
  });

  test('S1: a claim counter or claims set of another type makes the claim fail before it takes anything', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'one');
    for (const key of [keyspace.jobs(it.instance.id), keyspace.claims(it.instance.id)]) {
      await it.admin.set(key, 'something else');
      await expect(it.fetcher.fetch(['a'], 1)).rejects.toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE' });
      expect(await it.admin.llen('queue:a')).toBe(1);
      await it.admin.del(key);
    }
    expect(texts(await it.fetcher.fetch(['a'], 1))).toEqual(['one']);
  });

  test('a full Redis drains: claims and all outcomes pass where a push is refused', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'c', 'r', 'd', 'q', 'y');
    await it.admin.config('SET', 'maxmemory', '1');
    await expect(it.admin.lpush('queue:a', 'refused')).rejects.toThrow('OOM');
    const [c, r, d, q, y] = await it.fetcher.fetch(['a'], 5);
    const settled = await Promise.all([
      c?.settle({ kind: 'done' }),
      r?.settle({ kind: 'retry', bytes: Buffer.from('r'), delaySeconds: 5 }),
      d?.settle({ kind: 'dead', bytes: Buffer.from('d') }),
      q?.settle({ kind: 'requeue' }),
      y?.settle({ kind: 'yield', bytes: Buffer.from('y') }),
    ]);
    await it.admin.config('SET', 'maxmemory', '0');
    expect(settled).toEqual(['settled', 'settled', 'settled', 'settled', 'settled']);
    expect([
      await it.admin.zcard('retry'),
      await it.admin.zcard('dead'),
      await it.admin.lrange('queue:a', 0, -1),
    ]).toEqual([1, 1, ['y', 'q']]);
  });

  test('a primary that is made a replica is not taken for a broken queue, and is waited for', async () => {
    const logger = new RecordingLogger();
    await using it = await started({ logger });
    await push(it.admin, 'a', 'one');
    await it.admin.call('REPLICAOF', '127.0.0.1', '1');
    await expect(it.fetcher.fetch(['a'], 1)).rejects.toThrow(/READONLY/);
    await it.admin.call('REPLICAOF', 'NO', 'ONE');
    await eventually(async () => expect(texts(await it.fetcher.fetch(['a'], 1))).toEqual(['one']));
    expect(logger.matching('error', '')).toEqual([]);
  });

  test('SCRIPT FLUSH in between is not noticed', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'one', 'two');
    const [one] = await it.fetcher.fetch(['a'], 1);
    await it.admin.script('FLUSH');
    const settled = one?.settle({ kind: 'done' });
    expect(texts(await it.fetcher.fetch(['a'], 1))).toEqual(['two']);
    expect(await settled).toBe('settled');
  });

  test('S5: odd bytes come and go back as they are', async () => {
    await using it = await started();
    const odd = [
      Buffer.from([0xff, 0x00, 0xfe]),
      Buffer.from(''),
      Buffer.from('\r\n$5\r\n'),
      Buffer.alloc(1_000_000, 0x80),
    ];
    await push(it.admin, 'a@b:c.d', ...odd);
    const units = await it.fetcher.fetch(['a@b:c.d'], 10);
    expect(units.map((unit) => unit.bytes.equals(odd[units.indexOf(unit)] ?? Buffer.of()))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    for (const unit of [...units].reverse()) await unit.settle({ kind: 'requeue' });
    const back = await it.admin.lrangeBuffer('queue:a@b:c.d', 0, -1);
    expect(back.reverse().map((bytes, index) => bytes.equals(odd[index] ?? Buffer.of()))).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  test('S4: after a false death it claims under its new id, and what was put back is lost to it', async () => {
    await using it = await started();
    await push(it.admin, 'a', 'one', 'two');
    const [one, two] = await it.fetcher.fetch(['a'], 2);
    const former = it.instance.id;
    await it.admin.srem(keyspace.instances, former);
    await it.admin.srem(keyspace.jobs(former), `${former}.1.0@a`); // recovery is half done
    const fresh = it.instance.renew();
    await it.admin.sadd(keyspace.instances, fresh);
    await it.fetcher.reconcile();
    expect(await one?.settle({ kind: 'done' })).toBe('lost');
    expect(await two?.settle({ kind: 'done' })).toBe('settled');
    await push(it.admin, 'a', 'three');
    await it.fetcher.fetch(['a'], 1);
    expect(await it.admin.smembers(keyspace.jobs(fresh))).toEqual([`${fresh}.2.0@a`]);
  });
});
