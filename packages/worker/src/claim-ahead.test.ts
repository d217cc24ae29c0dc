import { describe, expect, test } from '@jest/globals';
import { ClaimAhead } from './claim-ahead.js';

function withClock(claimAheadMs: number) {
  const clock = { nowMs: 1_000 };
  const ahead = new ClaimAhead(claimAheadMs, () => clock.nowMs);
  const run = (completed: number, ms: number) => {
    clock.nowMs += ms;
    ahead.sample(completed);
  };
  ahead.resume();
  return { ahead, clock, run };
}

describe('ClaimAhead', () => {
  test('claims nothing ahead before anything was finished', () => {
    expect(withClock(2).ahead.jobs).toBe(0);
  });

  test('is what is finished in its time, once the rate is steady', () => {
    const { ahead, run } = withClock(2);
    for (let turn = 0; turn < 200; turn += 1) run(100, 1);
    expect(ahead.jobs).toBeGreaterThan(170); // 100 a millisecond, for 2 ms
    expect(ahead.jobs).toBeLessThanOrEqual(200);
  });

  test('one quick job is no proof of speed', () => {
    const { ahead, run } = withClock(2);
    run(1, 0.01);
    expect(ahead.jobs).toBeLessThanOrEqual(1);
  });

  test('slow jobs are never claimed ahead', () => {
    const { ahead, run } = withClock(2);
    for (let turn = 0; turn < 50; turn += 1) run(1, 100);
    expect(ahead.jobs).toBe(0);
  });

  test('is gone soon after the jobs became slow', () => {
    const { ahead, run } = withClock(2);
    for (let turn = 0; turn < 200; turn += 1) run(100, 1);
    run(0, 150);
    expect(ahead.jobs).toBe(0);
  });

  test('idle time does not count', () => {
    const { ahead, clock, run } = withClock(2);
    for (let turn = 0; turn < 200; turn += 1) run(100, 1);
    clock.nowMs += 3_600_000;
    ahead.resume();
    run(100, 1);
    expect(ahead.jobs).toBeGreaterThan(170);
  });

  test('0 turns it off', () => {
    const { ahead, run } = withClock(0);
    for (let turn = 0; turn < 200; turn += 1) run(100, 1);
    expect(ahead.jobs).toBe(0);
  });

  test('forgets a rate that was not what it seemed', () => {
    const { ahead, run } = withClock(2);
    for (let turn = 0; turn < 200; turn += 1) run(100, 1);
    ahead.forget();
    expect(ahead.jobs).toBe(0);
  });
});
