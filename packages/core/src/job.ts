/**
 * A job while it runs, as middleware and handlers see it, and the contract of a server middleware.
 */
import type { JsonValue } from './json.js';
import type { Logger } from './logger.js';
import type { Payload } from './payload.js';
import type { UnitOfWork } from './unit-of-work.js';
import type { WorkerOptions } from './worker-contract.js';

export interface Job {
  readonly jid: string;
  /** The name on the wire. */
  readonly class: string;
  /** What people know it by: `display_class`, else `wrapped` (the class behind an ActiveJob), else the class. Log lines go by it. */
  readonly displayClass: string;
  /** The queue that it was taken from. */
  readonly queue: string;
  /** Exact: an integer beyond 2^53 is a BigInt. */
  readonly args: readonly JsonValue[];
  /** `retry_count` of the payload: undefined in the first run, 0 in the second. */
  readonly retryCount: number | undefined;
  /** 1 in the first run, 2 in the first retry. */
  readonly attempt: number;
  readonly tags: readonly string[];
  /** Of the producer, when its I18n middleware wrote it. */
  readonly locale: string | undefined;
  /**
   * What the producer's CurrentAttributes held, as Rails wrote it: `cattr`, and `cattr_1`, ... for further classes. undefined
   * when there is none. Sidekiq 7's object and 8's pairs read the same; values are the wire's, with ActiveJob's markers.
   */
  currentAttributes(key?: string): Readonly<Record<string, JsonValue>> | undefined;
  /**
   * Fires on a timeout (TSQ_JOB_TIMEOUT), when somebody cancels the job (TSQ_JOB_CANCELLED), at the stop's deadline
   * (TSQ_JOB_STOPPED) and when the claim is lost (TSQ_CLAIM_LOST).
   */
  readonly signal: AbortSignal;
  /**
   * Fires as soon as the process takes no new jobs (TSTP, TERM): long before `signal`. Most jobs go on; one that can go on
   * elsewhere ends now.
   */
  readonly stopping: AbortSignal;
  /** Each line carries jid, class and queue; the level is the job's own, if it has one. */
  readonly logger: Logger;
  readonly payload: Payload;
  /** Of its worker: `tracked`, `timeout`, ... */
  readonly options: WorkerOptions;
  readonly unit: UnitOfWork;
}

/**
 * Whether the job shall survive the death of its process, asked just before `perform`. undefined: no opinion. It is not waited
 * for. A job for which it throws is tracked.
 */
export type TrackingPredicate = (job: Job) => boolean | undefined;

/** Wraps `perform`: the first added is the outermost. What it throws fails the job. */
export type ServerMiddleware = (job: Job, next: () => Promise<void>) => Promise<void>;
