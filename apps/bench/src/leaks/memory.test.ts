import { expect, test } from '@jest/globals';
import { judge, type Sample } from './memory.js';

const run = (megabytes: (progress: number) => number): readonly Sample[] =>
  Array.from({ length: 101 }, (_, n) => ({ progress: n / 100, megabytes: megabytes(n / 100) }));

test('memory that grows while it warms up, and is collected now and then, is flat', () => {
  const grown = run((progress) => (progress < 0.2 ? 50 + 250 * progress : 100) + ((progress * 100) % 3));
  expect(judge(grown)).toMatchObject({ isFlat: true, firstMegabytes: expect.closeTo(101, 0) });
});

test('memory that grows by a sixth from there on is not', () => {
  const leaking = run((progress) => 100 + 20 * progress);
  expect(judge(leaking)).toMatchObject({ isFlat: false });
});

test('a run without samples says nothing', () => {
  expect(() => judge([{ progress: 0.95, megabytes: 1 }])).toThrow('no sample between 0.2');
});
