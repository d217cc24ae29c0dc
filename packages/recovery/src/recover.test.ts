import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { useRedis } from '@tsq/core/test-support';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { beat } from './beat.js';
import { orphansOf } from './orphans.js';
import { type OrphanPosition, type RecoveryStep, recover } from './recover.js';
import { type Claim, fetchOrder, hold, keysLeft, recoverSome } from './test-support/claims.js';

const keyspace = new Keyspace();
const id = 'host-1' as InstanceId;

describe('recover', () => {
  const redis = useRedis();

  /** An instance that was registered, and whose beat is over. */
  async function dead(connection: Redis, claims: readonly Claim[], own: InstanceId = id) {
    await connection.sadd(keyspace.instances, own);
    return await hold(connection, keyspace, own, claims);
  }

  async function toTheEnd(connection: Redis, limit: number, position: OrphanPosition, own: InstanceId = id) {
    const steps: RecoveryStep[] = [];
    for await (const orphans of orphansOf(connection, keyspace, own, position)) {
      for (let next = 0; next < orphans.length; next += steps.at(-1)?.lookedAt ?? 0) {
        const step = await recover(connection, keyspace, own, orphans.slice(next, next + limit), position);
        if (step === 'alive') throw new Error('expected a dead instance');
        steps.push(step);
      }
    }
    return steps;
  }

  /** Jest compares megabytes one by one, and takes seconds. */
  const digests = (all: readonly Buffer[]) =>
    all.map((bytes) => `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`);
  const jobs = (queue: string, ...texts: string[]): Claim[] => texts.map((bytes) => ({ queue, bytes }));

  test('S4: while the heartbeat is there nothing is written', async () => {
    const connection = redis.connect();
    await beat(connection, keyspace, id, 90_000, 'register');
    await hold(connection, keyspace, id, jobs('q', 'one'));
    const before = (await connection.keys('*')).sort();
    expect(await recoverSome(connection, keyspace, id, 500, 'next')).toBe('alive');
    expect((await connection.keys('*')).sort()).toEqual(before);
    expect(await connection.sismember(keyspace.instances, id)).toBe(1);
  });

  test('L3: each job is back on the queue it came from, and no key of the instance is left', async () => {
    const connection = redis.connect();
    await dead(connection, [...jobs('a', 'a1', 'a2'), ...jobs('b', 'b1')]);
    await connection.hset(keyspace.vitals(id), 'rss', 1);
    expect(await recoverSome(connection, keyspace, id, 500, 'next')).toEqual({
      declaredDead: true,
      recovered: 3,
      missing: [],
      blockedBy: [],
      remaining: 0,
      poison: [],
      lookedAt: 3,
      atSeconds: expect.any(Number),
      putBack: [`${id}.1.2@b`, `${id}.1.1@a`, `${id}.1.0@a`],
    });
    expect(await fetchOrder(connection, 'a')).toEqual(['a1', 'a2']);
    expect(await fetchOrder(connection, 'b')).toEqual(['b1']);
    expect((await connection.smembers('queues')).sort()).toEqual(['a', 'b']);
    expect(await keysLeft(connection, keyspace)).toEqual([]);
  });

  test('orphans come before what waits in the queue, or by setting behind it; the oldest claim first', async () => {
    const connection = redis.connect();
    for (const [position, expected] of [
      ['next', ['1', '2', '3', 'waiting']],
      ['last', ['waiting', '1', '2', '3']],
    ] as const) {
      await connection.flushall();
      await connection.lpush('queue:q', 'waiting');
      await dead(connection, jobs('q', '1', '2'));
      await hold(connection, keyspace, id, jobs('q', '3')); // a later batch
      await toTheEnd(connection, 2, position);
      expect(await fetchOrder(connection, 'q')).toEqual(expected);
    }
  });

  test('from the first step on the instance may claim nothing, and is kept in mind until it is empty', async () => {
    const connection = redis.connect();
    await dead(connection, jobs('q', '1', '2', '3'));
    expect(await recoverSome(connection, keyspace, id, 2, 'next')).toMatchObject({
      declaredDead: true,
      recovered: 2,
      remaining: 1,
    });
    expect(await connection.sismember(keyspace.instances, id)).toBe(0);
    expect(await connection.smembers(keyspace.deadInstances)).toEqual([id]);
    expect(await beat(connection, keyspace, id, 90_000, 'renew')).toBe('lapsed');
    expect(await recoverSome(connection, keyspace, id, 2, 'next')).toMatchObject({
      declaredDead: false,
      recovered: 1,
    });
    expect(await keysLeft(connection, keyspace)).toEqual([]);
  });

  test('S3: five that recover at once put each orphan back once', async () => {
    const [first, ...others] = Array.from({ length: 5 }, () => redis.connect());
    if (first === undefined) throw new Error('expected five connections');
    const texts = Array.from({ length: 300 }, (_, index) => `job ${index}`);
    await dead(first, jobs('q', ...texts.slice(0, 150)));
    await hold(first, keyspace, id, jobs('q', ...texts.slice(150)));
    const steps = await Promise.all([first, ...others].map((connection) => toTheEnd(connection, 7, 'next')));
    expect(steps.flat().reduce((sum, step) => sum + step.recovered, 0)).toBe(300);
    expect(steps.flat().filter((step) => step.declaredDead)).toHaveLength(1);
    expect(await fetchOrder(first, 'q')).toEqual(texts);
    expect(await keysLeft(first, keyspace)).toEqual([]);
  });

  test('S5: odd bytes come back as they were', async () => {
    const connection = redis.connect();
    const odd = [
      Buffer.from([0xff, 0xfe, 0x80]),
      Buffer.from('a\0b\0'),
      Buffer.alloc(0),
      Buffer.from('{"args":[1.0,12345678901234567890,"\\ud800"]}'),
      Buffer.alloc(1_048_576, 'm'),
    ];
    await dead(
      connection,
      odd.map((bytes) => ({ queue: 'q', bytes })),
    );
    await toTheEnd(connection, 500, 'next');
    expect(digests((await connection.lrangeBuffer('queue:q', 0, -1)).reverse())).toEqual(digests(odd));
  });

  test('S5: whatever the bytes, the names of queues and the size of a step, all is back in order', async () => {
    const connection = redis.connect();
    const anyQueue = fc.constantFrom('q', 'a@b', '@', 'a:b', 'a.1.2@c', 'x y', 'ünï', '%s%d', '');
    const anyClaim = fc.record({
      queue: anyQueue,
      bytes: fc.uint8Array({ maxLength: 40 }).map((b) => Buffer.from(b)),
    });
    const anyBatches = fc.array(fc.array(anyClaim, { minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: 12,
    });
    const anyPosition = fc.constantFrom<OrphanPosition>('next', 'last');
    await fc.assert(
      fc.asyncProperty(
        anyBatches,
        fc.integer({ min: 1, max: 20 }),
        anyPosition,
        async (batches, limit, position) => {
          await connection.flushall();
          await connection.sadd(keyspace.instances, id);
          for (const batch of batches) await hold(connection, keyspace, id, batch);
          await toTheEnd(connection, limit, position);
          for (const queue of new Set(batches.flat().map((claim) => claim.queue))) {
            const expected = batches
              .flat()
              .filter((claim) => claim.queue === queue)
              .map((claim) => claim.bytes);
            expect((await connection.lrangeBuffer(`queue:${queue}`, 0, -1)).reverse()).toEqual(expected);
          }
          expect(await keysLeft(connection, keyspace)).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('a step with big payloads ends early, and the next ones bring the rest', async () => {
    const connection = redis.connect();
    const big = Array.from({ length: 6 }, (_, index) => ({
      queue: 'q',
      bytes: Buffer.alloc(100_000, `${index}`),
    }));
    await dead(connection, big);
    const steps = await toTheEnd(connection, 500, 'next');
    expect(steps.map(({ recovered, lookedAt }) => [recovered, lookedAt])).toEqual([
      [3, 3],
      [3, 3],
    ]);
    const back = (await connection.lrangeBuffer('queue:q', 0, -1)).reverse();
    expect(digests(back)).toEqual(digests(big.map(({ bytes }) => bytes)));
  });

  test('more orphans than one list takes come back too, each once, and each list in its order', async () => {
    const connection = redis.connect();
    const texts = Array.from({ length: 2_600 }, (_, index) => `job ${index}`);
    await connection.sadd(keyspace.instances, id);
    for (let at = 0; at < texts.length; at += 500)
      await hold(connection, keyspace, id, jobs('q', ...texts.slice(at, at + 500)));
    const sizes: number[] = [];
    for await (const list of orphansOf(connection, keyspace, id, 'last', 1_000)) {
      sizes.push(list.length);
      await recover(connection, keyspace, id, list.slice(0, 500), 'last');
      await recover(connection, keyspace, id, list.slice(500, 1_000), 'last');
      await recover(connection, keyspace, id, list.slice(1_000), 'last');
    }
    expect(sizes.length).toBeGreaterThan(1);
    const back = (await fetchOrder(connection, 'q')).map((text) => Number(text.slice(4)));
    let start = 0;
    for (const size of sizes) {
      const list = back.slice(start, start + size);
      expect(list).toEqual(list.toSorted((a, b) => a - b));
      start += size;
    }
    expect(back.toSorted((a, b) => a - b)).toEqual(texts.map((_, index) => index));
    expect(await keysLeft(connection, keyspace)).toEqual([]);
  });

  test('a list that is out of date names nothing missing, and puts nothing back twice', async () => {
    const connection = redis.connect();
    const members = await dead(connection, jobs('q', '1', '2', '3'));
    const list = members.map((member) => Buffer.from(member));
    await recover(connection, keyspace, id, list.slice(1), 'last');
    expect(await recover(connection, keyspace, id, list, 'last')).toMatchObject({
      recovered: 1,
      missing: [],
      lookedAt: 3,
    });
    expect((await fetchOrder(connection, 'q')).toSorted()).toEqual(['1', '2', '3']);
  });

  test('a claim without a payload is named, and keeps nobody', async () => {
    const connection = redis.connect();
    const [lost, foreign] = await dead(connection, jobs('q', 'lost', 'foreign', 'kept'));
    if (lost === undefined || foreign === undefined) throw new Error('expected members');
    await connection.del(keyspace.job(lost));
    await connection.del(keyspace.job(foreign));
    await connection.sadd(keyspace.job(foreign), "somebody's"); // not the payload, and not ours to delete
    const step = await recoverSome(connection, keyspace, id, 500, 'next');
    expect(step).toMatchObject({ recovered: 1, remaining: 0 });
    expect(step === 'alive' ? [] : step.missing.toSorted()).toEqual([lost, foreign].toSorted());
    expect(await fetchOrder(connection, 'q')).toEqual(['kept']);
    expect(await keysLeft(connection, keyspace)).toEqual([keyspace.job(foreign)]);
  });

  test('S1: jobs whose queue is not a list stay claims, keep nobody else, and go back once it is', async () => {
    const connection = redis.connect();
    await dead(connection, [...jobs('broken', 'b1', 'b2'), ...jobs('q', 'q1')]);
    await connection.set('queue:broken', 'not a list');
    const steps = await toTheEnd(connection, 1, 'next');
    expect(steps).toMatchObject([
      { recovered: 1, remaining: 2, blockedBy: [] },
      { recovered: 0, remaining: 2, blockedBy: ['queue:broken'] },
      { recovered: 0, remaining: 2, blockedBy: ['queue:broken'] },
    ]);
    expect(await fetchOrder(connection, 'q')).toEqual(['q1']);
    expect(await connection.get('queue:broken')).toBe('not a list');
    await connection.del('queue:broken');
    await toTheEnd(connection, 1, 'next');
    expect(await fetchOrder(connection, 'broken')).toEqual(['b1', 'b2']);
    expect(await keysLeft(connection, keyspace)).toEqual([]);
  });

  test('a member that names no queue stays, and is named', async () => {
    const connection = redis.connect();
    await dead(connection, jobs('q', 'q1'));
    await connection.sadd(keyspace.jobs(id), 'a-stranger');
    expect(await recoverSome(connection, keyspace, id, 500, 'next')).toMatchObject({
      recovered: 1,
      remaining: 1,
      blockedBy: ['a-stranger'],
    });
  });

  test.each([
    ['instances', keyspace.instances],
    ['instances:dead', keyspace.deadInstances],
    ['jobs:ID', keyspace.jobs(id)],
  ])('S1: %s of the wrong type is an error, and nothing is written', async (_name, key) => {
    const connection = redis.connect();
    await dead(connection, jobs('q', 'one'));
    await connection.del(key);
    await connection.set(key, 'x');
    const before = (await connection.keys('*')).toSorted();
    await expect(recoverSome(connection, keyspace, id, 500, 'next')).rejects.toThrow('WRONGTYPE');
    expect((await connection.keys('*')).toSorted()).toEqual(before);
  });

  test('the set of queue names may hold another type: the jobs go back all the same', async () => {
    const connection = redis.connect();
    await dead(connection, jobs('q', 'one'));
    await connection.set('queues', 'x');
    expect(await recoverSome(connection, keyspace, id, 500, 'next')).toMatchObject({
      recovered: 1,
      remaining: 0,
    });
    expect(await fetchOrder(connection, 'q')).toEqual(['one']);
  });

  test('a full Redis takes a recovery', async () => {
    const connection = redis.connect();
    await dead(connection, jobs('q', '1', '2', '3'));
    await connection.config('SET', 'maxmemory', '1mb');
    try {
      await expect(connection.lpush('queue:q', 'x')).rejects.toThrow('OOM');
      await toTheEnd(connection, 2, 'next');
      expect(await fetchOrder(connection, 'q')).toEqual(['1', '2', '3']);
      expect(await keysLeft(connection, keyspace)).toEqual([]);
    } finally {
      await connection.config('SET', 'maxmemory', '0');
    }
  });

  test('an instance that nobody knows leaves nothing', async () => {
    const connection = redis.connect();
    expect(await recoverSome(connection, keyspace, id, 500, 'next')).toMatchObject({
      declaredDead: false,
      remaining: 0,
    });
    expect(await connection.dbsize()).toBe(0);
  });
});
