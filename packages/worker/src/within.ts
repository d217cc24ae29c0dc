/** Waiting with an end: by a time of its own, or by somebody's signal. */

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

/** Waits for `work`, but only until `end` aborts. The work, when late, goes on alone. */
export async function unlessLate(work: Promise<void>, end: AbortSignal): Promise<'done' | 'late'> {
  const over = new AbortController();
  const lateness = new Promise<'late'>((resolve) => {
    const late = () => resolve('late');
    if (end.aborted) late();
    else end.addEventListener('abort', late, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([work.then(() => 'done' as const), lateness]);
  } finally {
    over.abort();
  }
}
