/**
 * The host's time, to the microsecond, and no two alike. A sorted set holds one entry for the same bytes: two jobs without a
 * jid that are otherwise the same, and fail in the same millisecond, would be one job after that.
 */

/** @returns milliseconds since the epoch, with a fraction: each call's is later than the one's before. */
export function distinctNow(now: () => number = Date.now): () => number {
  // Of two processes, each has microseconds of its own.
  const offset = Math.floor(Math.random() * 1_000);
  let last = 0;
  return () => {
    last = Math.max(last + 1, now() * 1_000 + offset);
    return last / 1_000;
  };
}
