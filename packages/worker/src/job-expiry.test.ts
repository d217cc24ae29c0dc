import { describe, expect, test } from '@jest/globals';
import { Payload } from '@tsq/core';
import { expiresAtMs } from './job-expiry.js';

/** A moment with parts of a millisecond, and 60 s after it. */
const dueMs = 1_795_466_562_496;
const overMs = dueMs + 60_000;

function expiryOf(more: object, workerSeconds?: number): number | undefined {
  return expiresAtMs(
    Payload.parse(Buffer.from(JSON.stringify({ class: 'W', args: [], ...more }))),
    workerSeconds,
  );
}

describe('a job with expires_in', () => {
  test.each<[string, object]>([
    ['enqueued_at, in seconds', { created_at: 1e9 + 0.5, enqueued_at: dueMs / 1_000 }],
    ['enqueued_at, in milliseconds', { created_at: 1e9 + 0.5, enqueued_at: dueMs }],
    ['both dialects in one payload', { created_at: dueMs - 5_000, enqueued_at: dueMs / 1_000 }],
    ['created_at, without the other', { created_at: dueMs / 1_000 }],
    [
      'its first failure, for a retry: what was enqueued anew has not begun anew',
      { created_at: 1e9 + 0.5, failed_at: dueMs / 1_000, enqueued_at: dueMs / 1_000 + 9_000, retry_count: 3 },
    ],
  ])('is over so many seconds after %s', (_name, times) => {
    expect(expiryOf({ expires_in: 60, ...times })).toBeCloseTo(overMs, 0);
  });

  test('is over at the expiry that its producer wrote, whatever else it says', () => {
    const times = { created_at: 1e9 + 0.5, enqueued_at: 2e9 + 0.5 };
    expect(expiryOf({ expires_in: 60, expiry: overMs / 1_000, ...times })).toBeCloseTo(overMs, 0);
  });

  test('whole seconds are not taken for milliseconds, or every such job would be dropped', () => {
    const seconds = Math.round(dueMs / 1_000);
    expect(expiryOf({ expires_in: 60, enqueued_at: seconds })).toBe((seconds + 60) * 1_000);
    expect(expiryOf({ expires_in: 60, expiry: seconds })).toBe(seconds * 1_000);
  });

  test.each<[string, object]>([
    ['no time at all', { expires_in: 60 }],
    ['times that nobody can read', { expires_in: 60, enqueued_at: 'noon', created_at: null }],
    ['an expires_in that is text', { expires_in: '60', created_at: dueMs }],
    ['an expires_in that is null', { expires_in: null, created_at: dueMs }],
    ['an expires_in below 0', { expires_in: -1, created_at: dueMs }],
    ['only the moment, and not the wish', { expiry: 1.5, created_at: dueMs }],
  ])('with %s never expires: dropped too early is worse than run too late', (_name, more) => {
    expect(expiryOf(more)).toBeUndefined();
  });

  test('may have it from its worker, and its own wins', () => {
    expect(expiryOf({ created_at: dueMs }, 60)).toBe(overMs);
    expect(expiryOf({ created_at: dueMs, expires_in: 5 }, 60)).toBe(dueMs + 5_000);
    expect(expiryOf({ created_at: dueMs })).toBeUndefined();
  });
});
