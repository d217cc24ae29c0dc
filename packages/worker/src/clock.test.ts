import { describe, expect, test } from '@jest/globals';
import { openConnection } from '@tsq/core';
import { RecordingLogger, useRedis } from '@tsq/core/test-support';
import { RedisClock } from './clock.js';

describe('RedisClock', () => {
  const redis = useRedis();

  test("S6: it tells Redis' time, though this host's clock is a year ahead", async () => {
    const connection = redis.connect();
    const now = Date.now;
    try {
      Date.now = () => now() + 31_536_000_000;
      const clock = new RedisClock(connection);
      const before = Number((await connection.time())[0]) * 1_000;
      const told = await clock.nowMs();
      const again = await clock.nowMs();
      const after = (Number((await connection.time())[0]) + 1) * 1_000;
      expect(told).toBeGreaterThanOrEqual(before);
      expect(again).toBeGreaterThanOrEqual(told ?? Number.NaN);
      expect(again).toBeLessThanOrEqual(after);
    } finally {
      Date.now = now;
    }
  });

  test('it asks once for many, and then for a while not at all', async () => {
    const connection = redis.connect();
    const clock = new RedisClock(connection);
    const asked = async () =>
      Number(/cmdstat_time:calls=(\d+)/.exec(await connection.info('commandstats'))?.[1] ?? 0);
    const before = await asked();
    await Promise.all(Array.from({ length: 50 }, () => clock.nowMs()));
    expect(typeof clock.nowMs()).toBe('number');
    expect(await asked()).toBe(before + 1);
  });

  test('S6: as long as Redis does not answer nobody knows, and this host is not asked; that is one line at debug', async () => {
    const away = openConnection({ url: 'redis://127.0.0.1:1' }, { name: 'away' });
    try {
      const logger = new RecordingLogger();
      const clock = new RedisClock(away, logger);
      expect(await clock.nowMs()).toBeUndefined();
      expect(await clock.nowMs()).toBeUndefined();
      // That Redis is away is for its connections to say.
      expect(logger.matching('debug', "Can't ask Redis for its time")).toHaveLength(1);
      expect(logger.matching('error', '')).toEqual([]);
    } finally {
      away.disconnect();
    }
  });
});
