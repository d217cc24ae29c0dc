/** What the Metrics pages of Sidekiq 7 and 8 find of a real tsq-worker's jobs. */
import { describe, expect, test } from '@jest/globals';
import { Client, MetricsQuery } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

describe("tsq-worker's metrics", () => {
  const redis = useRedis();
  const tsq = useTsqWorkers();

  async function enqueueOne() {
    const client = new Client({ url: redis.url });
    await client.enqueue('Interop::Typed', [1, 'x']);
    await client.enqueue('Interop::Failing', ['no']);
    await client.close();
  }

  test('with each beat, and the last at the exit, in the forms of both versions', async () => {
    const connection = redis.connect();
    const query = new MetricsQuery(connection);
    const worker = await tsq.start(redis.url);
    await enqueueOne();
    const counted = async (name: string) => {
      const { processed, failed } = await query.forClass(name);
      return { processed, failed };
    };
    await eventually(async () => {
      expect(await counted('Interop::Typed')).toEqual({ processed: 1, failed: 0 });
      expect((await counted('Interop::Failing')).failed).toBeGreaterThan(0);
    }, 30_000);
    await worker.end('SIGTERM');
    const [minutes, histograms] = [await connection.keys('j|*'), await connection.keys('*Interop::Typed-*')];
    expect(minutes.filter((key) => /^j\|\d{8}\|\d+:\d+$/.test(key)).length).toBeGreaterThan(0);
    expect(minutes.filter((key) => /^j\|\d{6}\|\d+:\d\d$/.test(key)).length).toBeGreaterThan(0);
    expect(minutes.filter((key) => /^j\|\d{6}\|\d+:\d$/.test(key)).length).toBeGreaterThan(0);
    expect(histograms.map((key) => key.startsWith('h|')).toSorted()).toEqual([false, true]);
  });

  test('off: none', async () => {
    const connection = redis.connect();
    const worker = await tsq.start(redis.url, '--metrics', 'off');
    await enqueueOne();
    await eventually(
      async () => expect(Number(await connection.get('stat:processed'))).toBeGreaterThan(1),
      30_000,
    );
    await worker.end('SIGTERM');
    expect(await connection.keys('j|*')).toEqual([]);
  });
});
