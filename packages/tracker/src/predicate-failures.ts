/** Notes that predicates fail: a line at most once a minute, with their number, for it may be all jobs. */
import type { Job } from '@tsq/core';

const quietMs = 60_000;

export class PredicateFailures {
  private sinceLine = 0;
  private nextLineAtMs = 0;

  note(job: Job, error: unknown): void {
    this.sinceLine += 1;
    const nowMs = performance.now();
    if (nowMs < this.nextLineAtMs) return;
    this.nextLineAtMs = nowMs + quietMs;
    const what =
      'a tracking predicate failed: the job is tracked; of such failures a line is written once a minute';
    job.logger.error({ err: error, failures: this.sinceLine }, what);
    this.sinceLine = 0;
  }
}
