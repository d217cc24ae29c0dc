import { describe, expect, test } from '@jest/globals';
import { heartbeatSettings, recovererSettings } from './settings.js';

describe('the settings', () => {
  test('are 30 s, 90 s, 300 s and 5 s when nothing is given', () => {
    expect(heartbeatSettings({})).toEqual({ intervalMs: 30_000, ttlMs: 90_000, stallTimeoutMs: 0 });
    expect(recovererSettings({})).toEqual({
      intervalMs: 30_000,
      lockTtlMs: 300_000,
      watchIntervalMs: 1_500,
      startDelayMs: 5_000,
      heartbeatTtlMs: 90_000,
      gemScanIntervalMs: 0,
      gemGraceMs: 30_000,
      batchSize: 100,
      position: 'next',
      dead: { timeoutSeconds: 15_552_000, maxJobs: 10_000 },
      dialect: 'seconds',
    });
  });

  test.each([
    ['normal', 30_000, 90_000, 300_000, 5_000],
    ['critical', 15_000, 45_000, 300_000, 5_000],
    ['high-churn', 10_000, 30_000, 600_000, 10_000],
  ] as const)(
    'come from the profile %s where nothing else is given',
    (profile, intervalMs, ttlMs, lockTtlMs, startDelayMs) => {
      expect(heartbeatSettings({ profile })).toMatchObject({ intervalMs, ttlMs });
      const times = { intervalMs, lockTtlMs, startDelayMs, heartbeatTtlMs: ttlMs };
      expect(recovererSettings({ profile })).toMatchObject(times);
    },
  );

  test('a value that is given wins over its profile, and is judged with the rest of it', () => {
    expect(heartbeatSettings({ profile: 'critical', ttlMs: 60_000 })).toMatchObject({
      intervalMs: 15_000,
      ttlMs: 60_000,
    });
    expect(() => heartbeatSettings({ profile: 'critical', ttlMs: 20_000 })).toThrow(
      /two intervals \(30000\).*got 20000/,
    );
    expect(recovererSettings({ profile: 'high-churn', startDelayMs: 0 })).toMatchObject({
      startDelayMs: 0,
      lockTtlMs: 600_000,
    });
  });

  test('a profile that is none is refused, with the nearest one', () => {
    expect(() => heartbeatSettings({ profile: 'critcal' as 'critical' })).toThrow(
      expect.objectContaining({
        code: 'TSQ_CONFIG_INVALID',
        message:
          'profile: expected one of normal, critical, high-churn, got string "critcal"; did you mean "critical"?',
      }),
    );
    expect(() => recovererSettings({ profile: 'toString' as 'critical' })).toThrow(
      /profile: expected one of/,
    );
  });

  test('refuse looks at the connections that come no sooner than the TTL', () => {
    expect(() => recovererSettings({ watchIntervalMs: 2_000, heartbeatTtlMs: 2_000 })).toThrow(
      /watchIntervalMs: expected less than.*\(2000\).*got 2000/,
    );
    expect(recovererSettings({ watchIntervalMs: 1_999, heartbeatTtlMs: 2_000 }).watchIntervalMs).toBe(1_999);
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
