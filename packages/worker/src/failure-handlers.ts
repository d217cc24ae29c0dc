/** The user's code that hears of failures: for an error tracker, a pager, a refund. Nothing that it does can harm the job. */
import type { Job } from '@tsq/core';
import { jobStorage } from './current-job.js';
import { Waiting } from './in-time.js';
import { logSafely, logThrown } from './log-thrown.js';

/** What becomes of a job that failed. */
export type FailureEnding = 'retry' | 'dead' | 'discarded';

/** Gets the job as it was when it ran; `currentJob()` is that job too. What it throws is logged. */
export type FailureHandler = (job: Job, error: unknown, ending: FailureEnding) => void | Promise<void>;

/** One failure, as handlers hear of it. */
export interface Failure {
  readonly job: Job;
  readonly error: unknown;
  readonly ending: FailureEnding;
}

/** One after the other; each is called whatever the others do, and waited for at most `timeoutMs`. */
export async function callHandlers(
  handlers: readonly FailureHandler[],
  { job, error, ending }: Failure,
  timeoutMs: number,
): Promise<void> {
  for (const handler of handlers) {
    const fields = { handler: handler.name };
    try {
      const ended = jobStorage.run(job, () => handler(job, error, ending));
      if (ended === undefined) continue;
      await new Waiting(Promise.resolve(ended), {
        timeoutMs,
        onTimeout: () =>
          logSafely(() => job.logger.error(fields, 'A failure handler hangs; it is waited for no longer')),
        onLate: (thrown) => logThrown(job.logger, 'error', fields, thrown, 'A failure handler failed'),
      }).result();
    } catch (thrown) {
      logThrown(job.logger, 'error', fields, thrown, 'A failure handler failed');
    }
  }
}
