import { describe, expect, test } from '@jest/globals';
import { type MetricsFormName, MetricsQuery, openConnection, whenReady } from '@tsq/core';
import { describeWithRuby, eventually, TcpProxy, useRedis } from '@tsq/core/test-support';
import type { Redis } from 'ioredis';
import { JobMetrics } from './job-metrics.js';
import { flushMetrics } from './metrics-flush.js';
import { endedJob } from './test-support/ended-job.js';

const both = ['sidekiq7', 'sidekiq8'] as const;
/** 2026-11-03T20:04:30Z: hour, minute and day tell padded from unpadded. */
const atMs = Date.UTC(2026, 10, 3, 20, 4, 30);

/** Some jobs at a time long ago for Redis: their flush must write them under the minute in which they ended. */
function countSome(metrics: JobMetrics): void {
  metrics.setTime(atMs);
  metrics.count(endedJob('A::Ok', 10.4), 'passed');
  metrics.count(endedJob('A::Ok', 1_200.4), 'passed');
  metrics.count(endedJob('A::Ok', 5), 'failed');
  metrics.count(endedJob('Bad', 5), 'failed');
}

const processed = async (redis: Redis, name: string) =>
  (await new MetricsQuery(redis).forClass(name)).processed;

describe('flushMetrics', () => {
  const redis = useRedis();

  async function flushed(forms: readonly MetricsFormName[]) {
    const connection = redis.connect();
    await whenReady(connection);
    const metrics = new JobMetrics();
    countSome(metrics);
    await flushMetrics(connection, metrics, forms);
    return { connection, metrics, keys: (await connection.keys('*')).toSorted() };
  }

  const hash = { 'A::Ok|p': '3', 'A::Ok|f': '1', 'A::Ok|ms': '1211', 'Bad|p': '1', 'Bad|f': '1' };
  const histogram = Buffer.alloc(24);
  histogram.writeUInt16BE(1, 0);
  histogram.writeUInt16BE(1, 22);

  test("writes Sidekiq 7's keys and no others", async () => {
    const { connection, keys } = await flushed(['sidekiq7']);
    expect(keys).toEqual(['A::Ok-03-20:4', 'j|20261103|20:4']);
    expect(await connection.hgetall('j|20261103|20:4')).toEqual(hash);
    expect(await connection.getBuffer('A::Ok-03-20:4')).toEqual(histogram);
    for (const key of keys) expect(await connection.ttl(key)).toBeGreaterThan(28_800 - 60);
    for (const key of keys) expect(await connection.ttl(key)).toBeLessThanOrEqual(28_800);
  });

  test("writes Sidekiq 8's keys and no others", async () => {
    const { connection, keys } = await flushed(['sidekiq8']);
    expect(keys).toEqual(['h|A::Ok-3-20:4', 'j|261103|20:0', 'j|261103|20:04']);
    expect(await connection.hgetall('j|261103|20:04')).toEqual(hash);
    expect(await connection.hgetall('j|261103|20:0')).toEqual(hash);
    expect(await connection.getBuffer('h|A::Ok-3-20:4')).toEqual(histogram);
    expect(await connection.ttl('j|261103|20:04')).toBeLessThanOrEqual(28_800);
    expect(await connection.ttl('j|261103|20:0')).toBeGreaterThan(259_200 - 60);
    expect(await connection.ttl('h|A::Ok-3-20:4')).toBeGreaterThan(0);
  });

  test('a second flush adds nothing, but what was counted since', async () => {
    const { connection, metrics } = await flushed(both);
    await flushMetrics(connection, metrics, both);
    expect(await connection.hgetall('j|20261103|20:4')).toEqual(hash);
    countSome(metrics);
    await flushMetrics(connection, metrics, both);
    expect(await connection.hget('j|20261103|20:4', 'A::Ok|p')).toBe('6');
    expect((await connection.getBuffer('h|A::Ok-3-20:4'))?.readUInt16BE(22)).toBe(2);
  });

  test("sets the clock: jobs are counted in Redis' minute, and the query finds them", async () => {
    const connection = redis.connect();
    await whenReady(connection);
    const metrics = new JobMetrics();
    metrics.setTime(0);
    await flushMetrics(connection, metrics, both);
    metrics.count(endedJob('Now', 100), 'passed');
    await flushMetrics(connection, metrics, both);
    expect(await new MetricsQuery(connection).forClass('Now', { minutes: 2 })).toMatchObject({
      processed: 1,
      milliseconds: 100,
      p50Ms: 125,
    });
  });

  test('a counter of 16 bits that is full stays full', async () => {
    const connection = redis.connect();
    await whenReady(connection);
    const metrics = new JobMetrics();
    metrics.setTime(atMs);
    for (let count = 0; count < 70_000; count += 1) metrics.count(endedJobOnce, 'passed');
    await flushMetrics(connection, metrics, ['sidekiq7']);
    expect(await connection.getBuffer('Many-03-20:4')).toEqual(Buffer.from([0xff, 0xff]));
    expect(await connection.hget('j|20261103|20:4', 'Many|p')).toBe('70000');
  });

  test('hundreds of classes are written in several steps', async () => {
    const connection = redis.connect();
    await whenReady(connection);
    const metrics = new JobMetrics();
    metrics.setTime(atMs);
    for (let count = 0; count < 350; count += 1) metrics.count(endedJob(`C${count}`), 'passed');
    await flushMetrics(connection, metrics, ['sidekiq8']);
    expect(await connection.hlen('j|261103|20:04')).toBe(700);
  });

  test('what a full Redis refuses comes again, once', async () => {
    const connection = redis.connect();
    await whenReady(connection);
    const metrics = new JobMetrics();
    await flushMetrics(connection, metrics, both);
    metrics.count(endedJob('A'), 'passed');
    await connection.config('SET', 'maxmemory', '1');
    try {
      await expect(flushMetrics(connection, metrics, both)).rejects.toThrow('EXECABORT');
      metrics.count(endedJob('A'), 'passed');
      await expect(flushMetrics(connection, metrics, both)).rejects.toThrow('EXECABORT');
    } finally {
      await connection.config('SET', 'maxmemory', '0');
    }
    await flushMetrics(connection, metrics, both);
    expect(await processed(connection, 'A')).toBe(2);
    expect(metrics.takeLost()).toBe(0);
  });

  test('what was not sent, for want of a connection, comes again', async () => {
    const proxy = await TcpProxy.before(redis.port);
    const connection = openConnection({ url: proxy.url }, { name: 'metrics' });
    await whenReady(connection);
    const metrics = new JobMetrics();
    await flushMetrics(connection, metrics, both);
    metrics.count(endedJob('A'), 'passed');
    proxy.mode = 'hole';
    proxy.cutAll();
    await eventually(() => expect(connection.status).not.toBe('ready'));
    await expect(flushMetrics(connection, metrics, both)).rejects.toMatchObject({
      code: 'TSQ_REDIS_UNAVAILABLE',
    });
    proxy.mode = 'pass';
    proxy.cutAll();
    await eventually(() => expect(connection.status).toBe('ready'));
    await flushMetrics(connection, metrics, both);
    expect(await processed(redis.connect(), 'A')).toBe(1);
    connection.disconnect();
    await proxy.close();
  });

  test('what was written is not written again when the reply is lost', async () => {
    const proxy = await TcpProxy.before(redis.port);
    const connection = openConnection({ url: proxy.url }, { name: 'metrics' });
    await whenReady(connection);
    const metrics = new JobMetrics();
    await flushMetrics(connection, metrics, both);
    metrics.count(endedJob('A'), 'passed');
    const dropped = proxy.dropReplyTo('exec');
    await expect(flushMetrics(connection, metrics, both)).rejects.toThrow();
    await dropped;
    await eventually(() => expect(connection.status).toBe('ready'));
    await flushMetrics(connection, metrics, both);
    expect(await processed(redis.connect(), 'A')).toBe(1);
    // It may be missing: then it is counted as such.
    expect(metrics.takeLost()).toBe(1);
    connection.disconnect();
    await proxy.close();
  });
});

const endedJobOnce = endedJob('Many', 3);

describeWithRuby('the Metrics page of Sidekiq 7 and 8', (ruby) => {
  const redis = useRedis();

  /** As the two versions' pages find their keys, in Ruby's own words for time; neither version can be had here. */
  const script = `
    now = Time.at(args[0]).utc
    Sidekiq.redis do |c|
      {
        seven: c.hgetall(now.strftime("j|%Y%m%d") + "|#{now.hour}:#{now.min}"),
        eight: c.hgetall(now.strftime("j|%y%m%d") + "|#{now.hour}:" + format("%02d", now.min)),
        ten: c.hgetall(now.strftime("j|%y%m%d") + "|#{now.hour}:#{now.min / 10}"),
        times7: c.call("BITFIELD_RO", now.strftime("Page-%d-%H:") + now.min.to_s, *(0..25).flat_map { |at| ["GET", "u16", "##{at}"] }),
        times8: c.call("BITFIELD_RO", "h|Page-#{now.day}-#{now.hour}:#{now.min}", *(0..25).flat_map { |at| ["GET", "u16", "##{at}"] }),
      }
    end
  `;

  test('finds what tsq wrote', async () => {
    const connection = redis.connect();
    await whenReady(connection);
    const metrics = new JobMetrics();
    metrics.setTime(atMs);
    for (const durationMs of [19, 20, 400_000]) metrics.count(endedJob('Page', durationMs), 'passed');
    metrics.count(endedJob('Page'), 'failed');
    await flushMetrics(connection, metrics, both);
    const hash = { 'Page|p': '4', 'Page|f': '1', 'Page|ms': '400039' };
    const times = [1, 1, ...new Array(23).fill(0), 1];
    expect(await ruby.run(script, { redisUrl: redis.url, args: [atMs / 1_000] })).toEqual({
      ...{ seven: hash, eight: hash, ten: hash },
      ...{ times7: times, times8: times },
    });
  });
});
