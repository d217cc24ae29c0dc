import { describe, expect, test } from '@jest/globals';
import { addHistogram, histogramBucket, histogramBuckets, percentileMs } from './histogram.js';

describe('histogramBucket', () => {
  test.each([
    [0, 0],
    [19.999, 0],
    [20, 1],
    [29, 1],
    [30, 2],
    [334, 7],
    [335, 8],
    [749, 9],
    [999, 10],
    [8_499, 15],
    [224_999, 23],
    [225_000, 24],
    [334_999, 24],
    [335_000, 25],
    [Number.MAX_SAFE_INTEGER, 25],
  ])('a time of %d ms belongs to bucket %d: the first whose bound is greater', (durationMs, bucket) => {
    expect(histogramBucket(durationMs)).toBe(bucket);
  });

  test('there are 26', () => {
    expect(histogramBuckets).toBe(26);
  });
});

describe('addHistogram', () => {
  test('adds big-endian counters of 16 bits, and a string may end early', () => {
    const buckets = new Array<number>(26).fill(1);
    addHistogram(buckets, Buffer.from([0x00, 0x02, 0xff, 0xff, 0x01]));
    expect(buckets.slice(0, 4)).toEqual([3, 65_536, 1, 1]);
  });

  test('a string that is too long adds nothing beyond the last bucket', () => {
    const buckets = [0, 0];
    addHistogram(buckets, Buffer.from([0, 1, 0, 2, 0, 3]));
    expect(buckets).toEqual([1, 2]);
  });
});

describe('percentileMs', () => {
  const buckets = (counts: Readonly<Record<number, number>>) =>
    Array.from({ length: 26 }, (_, at) => counts[at] ?? 0);

  test('of nothing there is none', () => {
    expect(percentileMs(buckets({}), 0.5)).toBeUndefined();
  });

  test('lies in the bucket that holds that part of the executions, by proportion', () => {
    const counts = buckets({ 0: 50, 4: 40, 10: 10 }); // below 20; 65 to 100; 750 to 1100
    expect(percentileMs(counts, 0.25)).toBe(10);
    expect(percentileMs(counts, 0.5)).toBe(20);
    expect(percentileMs(counts, 0.7)).toBe(82.5);
    expect(percentileMs(counts, 0.95)).toBe(925);
    expect(percentileMs(counts, 1)).toBe(1_100);
  });

  test('what has no bound is told as its lower one', () => {
    expect(percentileMs(buckets({ 25: 3 }), 0.99)).toBe(335_000);
  });
});
