import { describe, expect, test } from '@jest/globals';
import { Crowds } from './crowds.js';

describe('Crowds', () => {
  test('a crowded queue is asked ever later while nothing is found, and soon again after a find', () => {
    const crowds = new Crowds();
    const pauses = [0, 0, 0, 0, 0, 0, 0, 2, 0].map((found) => {
      crowds.note(['a'], ['a'], found);
      return crowds.pauseMs(['a']);
    });
    expect(pauses).toEqual([50, 100, 200, 400, 800, 1_000, 1_000, 50, 100]);
  });

  test('what one capsule finds in its queues changes nothing for those of another', () => {
    const crowds = new Crowds();
    crowds.note(['a'], ['a'], 0);
    crowds.note(['a'], ['a'], 0);
    crowds.note(['b'], ['b'], 3);
    expect([crowds.pauseMs(['a']), crowds.pauseMs(['b']), crowds.pauseMs(['a', 'b'])]).toEqual([100, 50, 50]);
    crowds.note(['b'], [], 0);
    expect([crowds.has('a'), crowds.has('b')]).toEqual([true, false]);
  });

  test('queues that are not crowded are asked once a second, should somebody have to ask', () => {
    expect(new Crowds().pauseMs(['a', 'b'])).toBe(1_000);
  });
});
