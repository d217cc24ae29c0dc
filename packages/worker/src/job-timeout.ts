/**
 * Ends what runs longer than its worker's `timeout`: first by the job's AbortSignal, then, after a grace, without its
 * consent. JavaScript can't stop a function, so one that does not heed the signal runs on; but its job has failed, and
 * whatever it does later is logged and counts for nothing.
 */
import { type Logger, TsqError } from '@tsq/core';

/** The part of a running job that is needed here. */
export interface AbortableJob {
  readonly class: string;
  readonly logger: Logger;
  readonly abortReason: TsqError | undefined;
  readonly durationMs: number;
  abort(reason: TsqError): void;
}

export class JobTimeout {
  /** @param graceMs between the signal and giving up */
  constructor(private readonly graceMs: number) {}

  /**
   * Resolves and rejects as what was started does, if that comes before the timeout.
   * @throws TSQ_JOB_TIMEOUT otherwise, when it has ended (returned or thrown: that is the cause) or the grace is over
   */
  async enforce(job: AbortableJob, timeoutMs: number, start: () => Promise<void>): Promise<void> {
    // Made when it is needed: an error's stack costs more than all the rest here.
    let reason: TsqError | undefined;
    let grace: NodeJS.Timeout | undefined;
    let giveUp: (() => void) | undefined;
    const givenUp = new Promise<'given up'>((resolve) => {
      giveUp = () => resolve('given up');
    });
    // Before the start: what perform does before its first await counts too.
    const timer = setTimeout(() => {
      reason = timeoutError(job, timeoutMs);
      job.abort(reason);
      grace = setTimeout(() => giveUp?.(), this.graceMs);
    }, timeoutMs);
    // A stop that came first is the reason, not the timeout.
    const isTimeout = () => reason !== undefined && job.abortReason === reason;
    try {
      const running = start();
      if ((await Promise.race([running, givenUp])) === 'given up') {
        reportLateEnd(job, running);
        throw job.abortReason;
      }
    } catch (error) {
      if (!isTimeout() || error === reason) throw error;
      // What Node's own functions throw for an aborted signal says no more than the timeout itself.
      throw isAbortError(error) ? reason : timeoutError(job, timeoutMs, { cause: error });
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
    }
    if (isTimeout()) throw reason;
  }
}

/** By its shape: it may come from another realm, where `instanceof` does not know it. */
function isAbortError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
}

function timeoutError(job: AbortableJob, timeoutMs: number, options?: ErrorOptions): TsqError {
  const message = `${job.class} ran longer than its timeout of ${timeoutMs / 1_000} s`;
  return new TsqError('TSQ_JOB_TIMEOUT', message, options);
}

function reportLateEnd(job: AbortableJob, running: Promise<void>): void {
  job.logger.error(
    { durationMs: Math.round(job.durationMs) },
    'perform does not heed its AbortSignal; its job has failed, and it runs on',
  );
  const late = (fields: object, what: string) => {
    job.logger.warn(
      { ...fields, durationMs: Math.round(job.durationMs) },
      `perform ${what} after its job had failed by timeout; that changes nothing`,
    );
  };
  running.then(
    () => late({}, 'returned'),
    (error: unknown) => late({ err: error }, 'threw'),
  );
}
