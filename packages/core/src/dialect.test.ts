import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readTimestampMs, timestampJson } from './dialect.js';

describe('timestampJson', () => {
  test('seconds always have a fraction, or Sidekiq 8 would read January 1970', () => {
    expect(timestampJson('seconds', 1795466562000)).toBe('1795466562.0');
    expect(timestampJson('seconds', 1795466562496.9)).toBe('1795466562.4969');
    expect(timestampJson('seconds', 0)).toBe('0.0');
  });

  test('milliseconds never have one, or Sidekiq 8 would read the year 58866', () => {
    expect(timestampJson('milliseconds', 1795466562496)).toBe('1795466562496');
    expect(timestampJson('milliseconds', 1795466562496.9)).toBe('1795466562496');
  });

  test('a point in time that is no number is refused in both', () => {
    const refused = expect.objectContaining({ code: 'TSQ_ARGS_INVALID' });
    for (const dialect of ['seconds', 'milliseconds'] as const) {
      expect(() => timestampJson(dialect, Number.NaN)).toThrow(refused);
      expect(() => timestampJson(dialect, Infinity)).toThrow(refused);
    }
  });
});

describe('readTimestampMs', () => {
  test('a number with a fraction or an exponent is seconds, an integer is milliseconds', () => {
    expect(readTimestampMs('1795466562.4969463')).toBe(1795466562496.946);
    expect(readTimestampMs(Buffer.from('1795466562.0'))).toBe(1795466562000);
    expect(readTimestampMs('1.795466562e9')).toBe(1795466562000);
    expect(readTimestampMs('1795466562496')).toBe(1795466562496);
  });

  test('a string that holds a number is read by its form', () => {
    expect(readTimestampMs('"1795466562.5"')).toBe(1795466562500);
    expect(readTimestampMs('"1795466562500"')).toBe(1795466562500);
  });

  test.each([
    '',
    '"',
    '""',
    'null',
    'true',
    '[]',
    '{}',
    '"2026-11-24T00:00:00Z"',
    '1E400',
    '99999999999999999',
    '1.',
    '"\ud800"',
  ])('%j is no timestamp, and does not throw', (raw) => {
    expect(readTimestampMs(raw)).toBeUndefined();
  });

  test('every millisecond that is written is read back, in both dialects', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (epochMs) => {
        expect(readTimestampMs(timestampJson('seconds', epochMs))).toBe(epochMs);
        expect(readTimestampMs(timestampJson('milliseconds', epochMs))).toBe(epochMs);
      }),
    );
  });
});
