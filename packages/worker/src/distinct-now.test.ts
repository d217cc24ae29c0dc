import { expect, test } from '@jest/globals';
import { timestampJson } from '@tsq/core';
import { distinctNow } from './distinct-now.js';

const aMoment = 1_795_466_562_496;

test('of a thousand times in one millisecond no two are written alike, and none is a second off', () => {
  const now = distinctNow(() => aMoment);
  const times = Array.from({ length: 1_000 }, now);
  expect(new Set(times.map((time) => timestampJson('seconds', time))).size).toBe(1_000);
  expect(Math.max(...times) - aMoment).toBeLessThan(2);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(aMoment);
});

test('a clock that is set back makes none twice', () => {
  const hours = [aMoment, aMoment - 3_600_000, aMoment];
  const now = distinctNow(() => hours.shift() ?? aMoment);
  expect(new Set([now(), now(), now()]).size).toBe(3);
});
