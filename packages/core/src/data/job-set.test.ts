import { describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { useRedis } from '../test-support/index.js';
import { DeadSet } from './dead-set.js';
import type { JobSet } from './job-set.js';
import { RetrySet } from './retry-set.js';
import { ScheduledSet } from './scheduled-set.js';
import { setPage } from './set-page.js';

const job = (jid: string, more = '') => `{"class":"W","args":[1.0],"jid":"${jid}"${more}}`;
const name = (number: number) => `job-${String(number).padStart(6, '0')}`;
const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => name(from + at));

async function fill(redis: Redis, key: string, jids: readonly string[], score = (at: number) => at) {
  await redis.zadd(key, ...jids.flatMap((jid, at) => [score(at), job(jid)]));
}

async function jidsOf(entries: AsyncIterable<{ readonly jid: string | undefined }>): Promise<string[]> {
  const jids: string[] = [];
  for await (const { jid } of entries) jids.push(jid ?? '');
  return jids;
}

describe('JobSet', () => {
  const server = useRedis();
  const one = () => 7.25;

  test.each([
    ['scores of their own', (at: number) => at],
    ['one score for all', one],
  ])('each entry is given once, in both orders, with %s', async (_what, score) => {
    const redis = server.connect();
    await fill(redis, 'retry', names(1, 230), score);
    const set = new RetrySet(redis);
    expect(await jidsOf(set)).toEqual(names(1, 230));
    expect(await jidsOf(set.each('latest-first'))).toEqual(names(1, 230).toReversed());
  });

  test.each([
    ['earliest-first', (at: number) => at],
    ['earliest-first', one],
    ['latest-first', (at: number) => at],
    ['latest-first', one],
  ] as const)('a reader (%s) that deletes whole pages meets each entry once', async (order, score) => {
    const redis = server.connect();
    await fill(redis, 'dead', names(1, 330), score);
    const met: (string | undefined)[] = [];
    for await (const entry of new DeadSet(redis).each(order)) {
      met.push(entry.jid);
      if (met.length > 20 && met.length < 260) expect(await entry.delete()).toBe(true);
    }
    expect(met).toEqual(order === 'earliest-first' ? names(1, 330) : names(1, 330).toReversed());
    expect(await redis.zcard('dead')).toBe(91);
  });

  test('what comes before the reader and what is given another time moves nobody out of sight', async () => {
    const redis = server.connect();
    await fill(redis, 'schedule', names(1, 200), one);
    const met: (string | undefined)[] = [];
    for await (const entry of new ScheduledSet(redis)) {
      met.push(entry.jid);
      if (met.length % 25 === 0) await redis.zadd('schedule', 1, job(`early-${met.length}`));
      if (met.length % 50 === 0) await entry.reschedule(2);
    }
    expect(met).toEqual(names(1, 200));
  });

  test.each([
    ['earliest-first', 10_000],
    ['latest-first', -10_000],
  ] as const)(
    'a reader (%s) that puts each entry ahead of itself meets each once, and ends',
    async (order, ahead) => {
      const redis = server.connect();
      await fill(redis, 'schedule', names(1, 120));
      const met: (string | undefined)[] = [];
      for await (const entry of new ScheduledSet(redis).each(order)) {
        met.push(entry.jid);
        if (met.length > 500) break;
        expect(await entry.reschedule(ahead + Math.sign(ahead) * met.length)).toBe(true);
      }
      expect(met).toEqual(order === 'earliest-first' ? names(1, 120) : names(1, 120).toReversed());
    },
  );

  // The script compares in blocks of 256 bytes: the difference behind blocks, at the first byte of one, and at its last.
  const ahead = Buffer.byteLength(job('x', ',"pad":"')) - 1;
  test.each([['é'.repeat(400)], ['x'.repeat(256 - ahead)], ['x'.repeat(255 - ahead)], ['']])(
    'payloads that differ only behind a common beginning are put in their places',
    async (pad) => {
      const redis = server.connect();
      const long = (end: string) => job('x', `,"pad":"${pad}${end}"`);
      const all = ['a', 'b', 'ba', 'c', 'é'].map(long);
      await redis.zadd('retry', ...all.flatMap((bytes) => [1, bytes]));
      for (const [at, bytes] of all.entries()) {
        await redis.zrem('retry', bytes);
        const cursor = { score: '1', bytes: Buffer.from(bytes) };
        const [behind] = await setPage(redis, 'retry', 'earliest-first', 1, cursor);
        const [before] = await setPage(redis, 'retry', 'latest-first', 1, cursor);
        expect([behind?.bytes.toString(), before?.bytes.toString()]).toEqual([all[at + 1], all[at - 1]]);
        await redis.zadd('retry', 1, bytes);
      }
    },
  );

  test('a page of a million entries takes as many commands as one of a hundred', async () => {
    const redis = server.connect();
    const filling = `for i = 1, 100000 do
      redis.call('ZADD', KEYS[1], 7, '{"class":"W","args":[],"jid":"' .. (ARGV[1] * 100000 + i) .. '"}')
    end`;
    for (let part = 0; part < 10; part += 1) await redis.eval(filling, 1, 'dead', part);
    await fill(redis, 'retry', names(1, 100), one);
    const commands = async (set: JobSet) => {
      const page = await set.page({ number: 2 });
      const reader = set.each('latest-first');
      await reader.next(); // load the script
      await redis.config('RESETSTAT');
      await set.page({ number: 2 });
      const [entry] = page.entries;
      await set.fetch(entry?.id ?? '');
      for (let met = 0; met < 60; met += 1) await reader.next();
      const stats = await redis.info('commandstats');
      return [...stats.matchAll(/cmdstat_(?!config|info)([^:]+:calls=\d+)/g)].map(([, text]) => text).sort();
    };
    const large = await commands(new DeadSet(redis));
    expect(await redis.zcard('dead')).toBe(1_000_000);
    expect(large).toEqual(await commands(new RetrySet(redis)));
  }, 60_000);

  test('the entry behind one that is gone is found among a hundred thousand of its score with some twenty commands more', async () => {
    const redis = server.connect();
    const filling = `for i = 1, 100000 do redis.call('ZADD', KEYS[1], 7, string.format('{"jid":"%06d"}', i)) end`;
    await redis.eval(filling, 1, 'dead');
    const reader = new DeadSet(redis).each();
    for (let met = 0; met < 50; met += 1) await reader.next();
    await redis.zremrangebyrank('dead', 0, 49);
    await redis.config('RESETSTAT');
    expect((await reader.next()).value?.bytes.toString()).toBe('{"jid":"000051"}');
    const stats = await redis.info('commandstats');
    const calls = [...stats.matchAll(/cmdstat_(?!config|info)[^:]+:calls=(\d+)/g)].map(([, count]) =>
      Number(count),
    );
    expect(calls.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(30);
  });

  test('scan finds what stands anywhere in the payload, or what a glob says', async () => {
    const redis = server.connect();
    await redis.zadd('retry', 1, job('a', ',"tags":["x[1]"]'), 2, job('b'), 3, '{not json');
    const scan = async (pattern: string) => (await jidsOf(new RetrySet(redis).scan(pattern))).sort();
    expect(await scan('"tags"')).toEqual(['a']);
    expect(await scan('*not*json')).toEqual(['']);
    expect(await scan('nowhere')).toEqual([]);
    expect(await scan('*')).toEqual(['', 'a', 'b']);
  });

  test.each(['plain', 'a[b]*?c', 'quo"te\\', 'é'])('find takes the jid %p for what it is', async (jid) => {
    const redis = server.connect();
    const text = JSON.stringify(jid).slice(1, -1);
    await redis.zadd('retry', 1, job('other', `,"parent":"${text}"`), 2, job(text), 3, job('abc'));
    const entry = await new RetrySet(redis).find(jid);
    expect([entry?.jid, entry?.score]).toEqual([jid, '2']);
    expect(await new RetrySet(redis).find('ab')).toBeUndefined();
  });

  test('fetch finds the entry of an id among those of its score, whatever form the number has', async () => {
    const redis = server.connect();
    await fill(redis, 'dead', names(1, 120), () => 1795466562.25);
    await redis.zadd('dead', 1795466562.25, '{not json', 1795466563, job('later'));
    const set = new DeadSet(redis);
    for (const score of ['1795466562.25', '1.79546656225e9', '1795466562.2500']) {
      expect((await set.fetch(`${score}-${name(77)}`))?.jid).toBe(name(77));
    }
    expect((await set.fetch('1795466562.25-'))?.bytes.toString()).toBe('{not json');
    expect(await set.fetch('1795466562.25-later')).toBeUndefined();
    expect(await set.fetch('1-later')).toBeUndefined();
    await expect(set.fetch('later')).rejects.toMatchObject({ code: 'TSQ_ENTRY_ID_INVALID' });
  });

  test('the id of every entry finds it again, with a score of 17 digits too', async () => {
    const redis = server.connect();
    await fill(redis, 'retry', names(1, 20), (at) => 1795466562 + at / 7);
    for await (const entry of new RetrySet(redis)) {
      expect((await new RetrySet(redis).fetch(entry.id))?.bytes).toEqual(entry.bytes);
    }
  });

  test('entries of scores that no clock shows are met, found by their ids, and have no time', async () => {
    const redis = server.connect();
    await redis.zadd('retry', '-inf', job('a'), '1e21', job('b'), 'inf', job('c'), '1795466562', job('d'));
    const found: unknown[] = [];
    for await (const entry of new RetrySet(redis)) {
      const same = await new RetrySet(redis).fetch(entry.id);
      found.push([same?.jid, same?.score, same?.at?.getTime()]);
    }
    expect(found).toEqual([
      ['a', '-inf', undefined],
      ['d', '1795466562', 1795466562000],
      ['b', '1e+21', undefined],
      ['c', 'inf', undefined],
    ]);
  });

  test('clear tells how many went; a key of another type stays', async () => {
    const redis = server.connect();
    await fill(redis, 'dead', names(1, 3));
    await redis.set('retry', 'x');
    expect(await new DeadSet(redis).clear()).toBe(3);
    expect(await new DeadSet(redis).clear()).toBe(0);
    await expect(new RetrySet(redis).clear()).rejects.toMatchObject({ code: 'TSQ_REDIS_REFUSED' });
    expect(await redis.get('retry')).toBe('x');
  });

  test('page 2 goes on where page 1 ended, in both orders', async () => {
    const redis = server.connect();
    await fill(redis, 'dead', names(1, 5), one);
    const page = async (number: number, order: 'earliest-first' | 'latest-first') => {
      const { size, entries } = await new DeadSet(redis).page({ number, pageSize: 3, order });
      return [size, ...entries.map(({ jid }) => jid)];
    };
    expect(await page(1, 'earliest-first')).toEqual([5, ...names(1, 3)]);
    expect(await page(2, 'earliest-first')).toEqual([5, ...names(4, 5)]);
    expect(await page(2, 'latest-first')).toEqual([5, ...names(1, 2).toReversed()]);
  });
});
