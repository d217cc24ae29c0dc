/** Waits for a condition, never for a time. */
import { setTimeout as delay } from 'node:timers/promises';

/** Repeats `check` until it passes; when `withinMs` is over, fails with the check's own error. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 10_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await delay(10);
    }
  }
}
