/** The user's code that hears of failures: for an error tracker, a pager, a refund. Nothing that it does can harm the job. */
import type { Job } from '@tsq/core';
import { logThrown } from './log-thrown.js';

/** Gets the job as it was when it ran. What it throws is logged. */
export type FailureHandler = (job: Job, error: unknown) => void | Promise<void>;

/** One after the other; each is called whatever the others do. */
export async function callHandlers(
  handlers: readonly FailureHandler[],
  job: Job,
  error: unknown,
): Promise<void> {
  for (const handler of handlers) {
    try {
      await handler(job, error);
    } catch (thrown) {
      logThrown(job.logger, 'error', { handler: handler.name }, thrown, 'A failure handler failed');
    }
  }
}
