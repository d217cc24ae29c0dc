import { describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { useRedis } from '../test-support/index.js';
import { RetrySet } from './retry-set.js';
import type { SweepCounts } from './sweep.js';

const job = (number: number, more = '') => `{"class":"W","args":[${number}],"jid":"${number}"${more}}`;

async function fill(redis: Redis, count: number, score = (number: number) => number) {
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  await redis.zadd('retry', ...numbers.flatMap((number) => [score(number), job(number)]));
}

const done = (count: number) => ({ done: count, gone: 0, unreadable: 0 });

describe('an action on all entries', () => {
  const server = useRedis();

  test('retryAll empties the set into the queue, the earliest first, and tells how far it is', async () => {
    const redis = server.connect();
    await fill(redis, 250);
    const progress: SweepCounts[] = [];
    const counts = await new RetrySet(redis).retryAll({ onProgress: (so) => progress.push(so) });
    expect(counts).toEqual(done(250));
    expect(progress).toEqual([done(100), done(200), done(250)]);
    expect(await redis.zcard('retry')).toBe(0);
    const oldestFirst = (await redis.lrange('queue:default', 0, -1)).toReversed();
    expect(oldestFirst.map((bytes) => JSON.parse(bytes).args[0])).toEqual(
      Array.from({ length: 250 }, (_, at) => at + 1),
    );
  });

  test('killAll and deleteAll take those of `where`, and leave the others', async () => {
    const redis = server.connect();
    await fill(redis, 250, () => 5);
    const set = new RetrySet(redis);
    const odd = ({ jid }: { readonly jid: string | undefined }) => Number(jid) % 2 === 1;
    const tenth = ({ jid }: { readonly jid: string | undefined }) => Number(jid) % 10 === 0;
    expect(await set.killAll({ where: odd })).toEqual(done(125));
    expect(await set.deleteAll({ where: tenth })).toEqual(done(25));
    expect([await redis.zcard('retry'), await redis.zcard('dead')]).toEqual([100, 125]);
    expect((await redis.zrange('dead', '0', '-1')).every((bytes) => odd(JSON.parse(bytes)))).toBe(true);
  });

  test('one that is ended between two pages is finished by the next, and nothing is done twice', async () => {
    const redis = server.connect();
    await fill(redis, 250);
    const end = new AbortController();
    const set = new RetrySet(redis);
    expect(await set.retryAll({ signal: end.signal, onProgress: () => end.abort() })).toEqual(done(100));
    expect(await redis.zcard('retry')).toBe(150);
    expect(await set.retryAll({ signal: end.signal })).toEqual(done(0));
    expect(await set.retryAll()).toEqual(done(150));
    expect(new Set(await redis.lrange('queue:default', 0, -1)).size).toBe(250);
  });

  test('two at once share the entries', async () => {
    const redis = server.connect();
    await fill(redis, 1_000, () => 5);
    const counts = await Promise.all([
      new RetrySet(redis).retryAll(),
      new RetrySet(server.connect()).retryAll(),
      new RetrySet(server.connect()).killAll(),
    ]);
    expect(counts.reduce((sum, { done: own }) => sum + own, 0)).toBe(1_000);
    expect((await redis.llen('queue:default')) + (await redis.zcard('dead'))).toBe(1_000);
  });

  test('it ends though each job that it retries fails at once and comes back later', async () => {
    const redis = server.connect();
    await fill(redis, 250);
    const comeBack = async () => {
      for (const bytes of (await redis.lpop('queue:default', 1_000)) ?? [])
        await redis.zadd('retry', 9_000, bytes);
    };
    const returned: Promise<void>[] = [];
    const counts = await new RetrySet(redis).retryAll({ onProgress: () => returned.push(comeBack()) });
    await Promise.all(returned);
    expect(counts.done).toBeLessThanOrEqual(250);
  });

  test('rescheduleAll gives each entry the time once, those that it meets again included', async () => {
    const redis = server.connect();
    await fill(redis, 350);
    expect(await new RetrySet(redis).rescheduleAll(120)).toEqual(done(349)); // one has that time already
    expect(await redis.zcount('retry', 120, 120)).toBe(350);
  });

  test('what nobody can read is left and counted, and stops nothing', async () => {
    const redis = server.connect();
    await fill(redis, 3, (number) => number * 10);
    await redis.zadd('retry', 15, '{not json', 25, 'x');
    expect(await new RetrySet(redis).retryAll()).toEqual({ done: 3, gone: 0, unreadable: 2 });
    expect(await redis.zrange('retry', '0', '-1')).toEqual(['{not json', 'x']);
  });

  test('no run of a script takes more than a hundred entries', async () => {
    const redis = server.connect();
    await fill(redis, 1_000);
    await new RetrySet(redis).retryAll(); // loads the scripts
    await fill(redis, 1_000);
    await redis.config('RESETSTAT');
    await new RetrySet(redis).retryAll();
    const stats = await redis.info('commandstats');
    const calls = (name: string) => Number(stats.match(new RegExp(`cmdstat_${name}:calls=(\\d+)`))?.[1]);
    expect([calls('zrem'), calls('evalsha')]).toEqual([1_000, 20]);
  });
});
