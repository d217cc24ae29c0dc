import { describe, expect, test } from '@jest/globals';
import { heartbeatSettings, recovererSettings } from './settings.js';

describe('the settings', () => {
  test('are 30 s, 90 s, 300 s and 5 s when nothing is given', () => {
    expect(heartbeatSettings({})).toEqual({ intervalMs: 30_000, ttlMs: 90_000 });
    expect(recovererSettings({})).toEqual({
      intervalMs: 30_000,
      lockTtlMs: 300_000,
      watchIntervalMs: 1_500,
      startDelayMs: 5_000,
      heartbeatTtlMs: 90_000,
      batchSize: 100,
      position: 'next',
      dead: { timeoutSeconds: 15_552_000, maxJobs: 10_000 },
      dialect: 'seconds',
    });
  });

  test('refuse a TTL that one late beat would outlast', () => {
    expect(() => heartbeatSettings({ intervalMs: 500, ttlMs: 999 })).toThrow(
      expect.objectContaining({
        code: 'TSQ_CONFIG_INVALID',
        message: expect.stringMatching(/ttlMs.*two intervals \(1000\).*got 999/),
      }),
    );
    expect(heartbeatSettings({ intervalMs: 500, ttlMs: 1_000 }).ttlMs).toBe(1_000);
  });

  test.each([{ intervalMs: 0 }, { intervalMs: 1.5 }, { ttlMs: Number.NaN }, { ttlMs: 2 ** 31 }])(
    'refuse a heartbeat of %j',
    (given) => {
      expect(() => heartbeatSettings(given)).toThrow(expect.objectContaining({ code: 'TSQ_CONFIG_INVALID' }));
    },
  );

  test.each([
    { intervalMs: 0 },
    { lockTtlMs: 0 },
    { watchIntervalMs: -1 },
    { startDelayMs: -1 },
    { batchSize: 501 },
    { batchSize: 0 },
    { position: 'first' as 'next' },
  ])('refuse a recoverer of %j', (given) => {
    expect(() => recovererSettings(given)).toThrow(expect.objectContaining({ code: 'TSQ_CONFIG_INVALID' }));
  });
});
