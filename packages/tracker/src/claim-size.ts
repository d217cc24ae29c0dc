/**
 * How many jobs one claim asks for, by what the last ones weighed: a claim of big payloads would hold up Redis, and fill this
 * process with jobs that wait. A pop can't be told how many bytes it may take, so the next one learns from the last.
 */
import type { ClaimedJob } from './claim.js';

/** Redis moves so much in some milliseconds. */
const enoughBytes = 4 * 2 ** 20;

export class ClaimSize {
  private bytesPerJob = 0;

  /** At least one, or nothing would ever move. */
  limit(max: number): number {
    return this.bytesPerJob * max <= enoughBytes
      ? max
      : Math.max(1, Math.floor(enoughBytes / this.bytesPerJob));
  }

  note(jobs: readonly ClaimedJob[]): void {
    if (jobs.length === 0) return;
    let bytes = 0;
    for (const job of jobs) bytes += job.bytes.length;
    this.bytesPerJob = bytes / jobs.length;
  }
}
