/**
 * The time in which a stop may still speak to Redis once its deadline has passed. The components of a process share one:
 * they stop one after the other, and a Redis that is away is away for all, so the patience of each would add up. Who comes
 * when it is over has a moment all the same: it has not said a word yet, and Redis may answer.
 */
export class LastWords {
  private overAtMs: number | undefined;

  /**
   * @param totalMs for all, from the deadline on
   * @param leastMs for each, when the others have used it up
   */
  constructor(
    private readonly deadline: AbortSignal,
    private readonly totalMs: number,
    private readonly leastMs = 0,
  ) {}

  /** Runs the stop of one; the signal that it gets aborts when it must come to its end. */
  async during(stop: (end: AbortSignal) => Promise<void>): Promise<void> {
    const end = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const begin = () => {
      timer = setTimeout(() => end.abort(), this.leftMs());
    };
    if (this.deadline.aborted) begin();
    else this.deadline.addEventListener('abort', begin, { once: true });
    try {
      await stop(end.signal);
    } finally {
      clearTimeout(timer);
      this.deadline.removeEventListener('abort', begin);
    }
  }

  private leftMs(): number {
    const now = performance.now();
    this.overAtMs ??= now + this.totalMs;
    return Math.max(this.leastMs, this.overAtMs - now);
  }
}

/** Runs `stop` until the end that its caller has set, or else until `graceMs` after the deadline. */
export function untilSaid(
  deadline: AbortSignal,
  end: AbortSignal | undefined,
  graceMs: number,
  stop: (end: AbortSignal) => Promise<void>,
): Promise<void> {
  return end === undefined ? new LastWords(deadline, graceMs).during(stop) : stop(end);
}
