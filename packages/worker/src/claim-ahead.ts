/**
 * How many jobs may be claimed beyond the free slots. A round trip per job would halve the speed, a big buffer would hide
 * jobs from idle processes; so the limit is one of time: what this process finishes within `claimAheadMs`, by its own
 * rate while it was busy.
 *
 * The past fades: completions and busy time are both kept with the same exponential memory, and the rate is their
 * quotient. `claimAheadMs` is added to the time, so there is never more ahead than lately finished, and one quick job
 * after a start is no proof of speed.
 */

/** The memory, in multiples of `claimAheadMs`: long against the jitter of one turn, short against a human's second. */
const memoryFactor = 10;

export class ClaimAhead {
  private completed = 0;
  private busyMs = 0;
  private sinceMs = 0;
  /** How long a job claimed ahead may wait for its start. */
  readonly patienceMs: number;

  /**
   * @param claimAheadMs 0 turns it off
   * @param now a monotonic clock, in milliseconds with a fraction
   */
  constructor(
    private readonly claimAheadMs: number,
    private readonly now: () => number,
  ) {
    this.patienceMs = claimAheadMs * memoryFactor;
  }

  /** The first job after an idle time begins: what lies before does not count. */
  resume(): void {
    this.sinceMs = this.now();
  }

  /** So many jobs ended since the last call; all the time in between, jobs were running. */
  sample(completed: number): void {
    if (this.claimAheadMs === 0) return;
    const now = this.now();
    const passedMs = Math.max(0, now - this.sinceMs);
    const kept = Math.exp(-passedMs / (this.claimAheadMs * memoryFactor));
    this.completed = this.completed * kept + completed;
    this.busyMs = this.busyMs * kept + passedMs;
    this.sinceMs = now;
  }

  /** What was claimed ahead could not start: the rate was not what it seemed. */
  forget(): void {
    this.completed = 0;
    this.busyMs = 0;
  }

  /** So many jobs, beyond the free slots, start within `claimAheadMs`. */
  get jobs(): number {
    if (this.completed === 0) return 0;
    return Math.floor((this.claimAheadMs * this.completed) / (this.busyMs + this.claimAheadMs));
  }
}
