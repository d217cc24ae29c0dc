/** The user's code that hears of poison jobs: nobody's `perform` is running then, so there is no Job to hand over. */
import type { Logger, TsqError } from '@tsq/core';
import { logThrown } from './log-thrown.js';

/** A job whose process died each time that it was started, and that is not started again. */
export interface PoisonJob {
  /** undefined in a payload that can not be read, as `class` is. */
  readonly jid: string | undefined;
  readonly class: string | undefined;
  readonly queue: string;
  /** As it was popped. */
  readonly payload: Buffer;
  /** `dead`: it lies in the dead set; `dropped`: its payload says `dead: false`, or its class does. */
  readonly fate: 'dead' | 'dropped';
  /** TSQ_JOB_POISON: what happened, where and when. */
  readonly error: TsqError;
}

/** What it throws is logged. */
export type PoisonHandler = (job: PoisonJob) => void | Promise<void>;

/** One after the other; each is called whatever the others do. */
export async function callPoisonHandlers(
  handlers: readonly PoisonHandler[],
  job: PoisonJob,
  logger: Logger,
): Promise<void> {
  for (const handler of handlers) {
    try {
      await handler(job);
    } catch (thrown) {
      const fields = { handler: handler.name, jid: job.jid, class: job.class };
      logThrown(logger, 'error', fields, thrown, 'A poison handler failed');
    }
  }
}
