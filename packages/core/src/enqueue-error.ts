/**
 * What a Client throws when Redis did not confirm a push. It never sends a job twice, so its caller must learn which jobs
 * are there, which are not, and which may be.
 */
import { type ErrorCode, TsqError } from './errors.js';

/** `not-pushed`: it is not there. `unknown`: it was sent and the reply never came, so it may or may not be there. */
export type PushOutcome = 'not-pushed' | 'unknown';

/** Why some jobs of a batch were not confirmed. */
export interface PushFailure {
  readonly code: ErrorCode;
  readonly outcome: PushOutcome;
  readonly message: string;
  readonly cause?: unknown;
}

/**
 * Code TSQ_REDIS_UNAVAILABLE, TSQ_REDIS_REFUSED (Redis answered with an error: `outcome` is `not-pushed`) or, of a bulk in
 * whose middle something else failed, that error's code.
 */
export class EnqueueError extends TsqError {
  /** `unknown` when `unsure` has a jid. After `not-pushed` it is safe to enqueue the same again, but for what `pushed` lists. */
  readonly outcome: PushOutcome;

  constructor(
    failure: PushFailure,
    /** Jids that Redis confirmed, in order; empty but for a bulk. */
    readonly pushed: readonly string[],
    /** Jids that may or may not be there. */
    readonly unsure: readonly string[],
  ) {
    super(failure.code, failure.message, { cause: failure.cause });
    this.outcome = failure.outcome;
  }
}
