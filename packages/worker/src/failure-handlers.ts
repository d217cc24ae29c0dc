/** The user's code that hears of failures: for an error tracker, a pager, a refund. Nothing that it does can harm the job. */
import type { Job } from '@tsq/core';
import { jobStorage } from './current-job.js';
import { Waiting } from './in-time.js';
import type { ProcessedJob } from './job-processor.js';
import { logSafely, logThrown } from './log-thrown.js';

/** What becomes of a job that failed. */
export type FailureEnding = 'retry' | 'dead' | 'discarded';

/** Gets the job as it was when it ran; `currentJob()` is that job too. What it throws is logged. */
export type FailureHandler = (job: Job, error: unknown, ending: FailureEnding) => void | Promise<void>;

/** One failure, as handlers hear of it. */
interface Failure {
  readonly job: Job;
  readonly error: unknown;
  readonly ending: FailureEnding;
}

export class FailureHandlers {
  /** @param timeoutMs for each call of each handler */
  constructor(
    private readonly onError: readonly FailureHandler[],
    private readonly onDeath: readonly FailureHandler[],
    private readonly timeoutMs: number,
  ) {}

  /** Within the job's slot: handlers that are slow slow down the failures, instead of piling up. */
  async tell(job: Job, error: unknown, { outcome, settlement }: ProcessedJob): Promise<void> {
    const { kind } = outcome;
    const failure = { job, error, ending: kind === 'retry' || kind === 'dead' ? kind : 'discarded' } as const;
    if (this.onError.length > 0) await this.call(this.onError, failure);
    if (this.onDeath.length === 0 || kind === 'retry') return;
    // A job that another instance owns by now has not died.
    if ((await settlement) === 'settled') await this.call(this.onDeath, failure);
  }

  /** One after the other; each is called whatever the others do. */
  private async call(handlers: readonly FailureHandler[], { job, error, ending }: Failure): Promise<void> {
    for (const handler of handlers) {
      const fields = { handler: handler.name };
      try {
        const ended = jobStorage.run(job, () => handler(job, error, ending));
        if (ended === undefined) continue;
        await new Waiting(Promise.resolve(ended), {
          timeoutMs: this.timeoutMs,
          onTimeout: () =>
            logSafely(() => job.logger.error(fields, 'A failure handler hangs; it is waited for no longer')),
          onLate: (thrown) => logThrown(job.logger, 'error', fields, thrown, 'A failure handler failed'),
        }).result();
      } catch (thrown) {
        logThrown(job.logger, 'error', fields, thrown, 'A failure handler failed');
      }
    }
  }
}
