import { describe, expect, test } from '@jest/globals';
import { LastWords } from './last-words.js';

describe('LastWords', () => {
  test('nobody is asked to end before the deadline has passed', async () => {
    const deadline = new AbortController();
    const words = new LastWords(deadline.signal, 1);
    await words.during(async (end) => {
      await turns();
      expect(end.aborted).toBe(false);
      deadline.abort();
      await aborted(end);
    });
  });

  test('what one has used up the next does not get again', async () => {
    const words = new LastWords(AbortSignal.abort(), 400);
    await words.during(aborted);
    await words.during(async (end) => {
      const half = AbortSignal.timeout(200);
      await Promise.race([aborted(end), aborted(half)]);
      expect([end.aborted, half.aborted]).toEqual([true, false]);
    });
  });

  test('who comes when it is used up has the least of it all the same', async () => {
    const words = new LastWords(AbortSignal.abort(), 1, 60_000);
    await words.during(async (end) => {
      await turns();
      expect(end.aborted).toBe(false);
    });
  });

  test('rejects as the stop does', async () => {
    const words = new LastWords(AbortSignal.abort(), 1);
    await expect(words.during(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

async function turns(): Promise<void> {
  await aborted(AbortSignal.timeout(20));
}
