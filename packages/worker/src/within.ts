/** Waiting with an end: by a time of its own, or by somebody's deadline and a grace. */
import { pause } from '@tsq/core';

/** Runs `wait` with a signal that aborts after `ms`. */
export async function within<T>(ms: number, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), ms);
  try {
    return await wait(deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `work`, but once `deadline` has aborted only for `graceMs` more. The work, when late, goes on alone. */
export async function unlessLate(
  work: Promise<void>,
  deadline: AbortSignal,
  graceMs: number,
): Promise<'done' | 'late'> {
  const over = new AbortController();
  const lateness = async () => {
    await aborted(deadline, over.signal);
    await pause(graceMs, over.signal);
    return 'late' as const;
  };
  try {
    return await Promise.race([work.then(() => 'done' as const), lateness()]);
  } finally {
    over.abort();
  }
}

/** Resolves once one of the two has aborted. */
function aborted(one: AbortSignal, other: AbortSignal): Promise<void> {
  if (one.aborted || other.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      one.removeEventListener('abort', end);
      other.removeEventListener('abort', end);
      resolve();
    };
    one.addEventListener('abort', end);
    other.addEventListener('abort', end);
  });
}
