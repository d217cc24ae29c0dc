/**
 * What becomes of a job that failed: Sidekiq's arithmetic and Sidekiq's fields, written into the bytes as they were popped.
 *
 * What must stay true: every byte outside the fields named here leaves as it came; and a job of a class that this process
 * does not know is never dropped, whatever it says about retries: another process may know it, or a person must look.
 */
import {
  type Dialect,
  type Outcome,
  type Payload,
  type PayloadEdits,
  readTimestampMs,
  timestampJson,
  type WorkerOptions,
} from '@tsq/core';
import { backtraceOf, errorClass, errorMessage, packBacktrace } from './thrown.js';

export interface FailedJob {
  readonly payload: Payload;
  /** The queue that it was taken from. */
  readonly queue: string;
  /** Of its worker; undefined: this process does not know its class. */
  readonly workerOptions: WorkerOptions | undefined;
}

export interface JobRetrySettings {
  /** Of jobs that say `retry: true`. Default 25, some 20 days. */
  readonly maxRetries: number;
  /** How `failed_at` and `retried_at` are written. Default `seconds`. */
  readonly dialect: Dialect;
  /** From 0 up to, not including, 1: the jitter. */
  readonly random: () => number;
  /** Milliseconds since the epoch, for `failed_at`, `retried_at` and `retry_for`; when a retry is due is for Redis to say. */
  readonly now: () => number;
}

const defaults: JobRetrySettings = {
  maxRetries: 25,
  dialect: 'seconds',
  random: Math.random,
  now: Date.now,
};

/**
 * @param count `retry_count` of the entry that waits: 0 after the first failure
 * @param random from 0 up to, not including, 1
 * @returns whole seconds: 15 to 24 for the first retry, some 4 days for the 25th
 */
export function retryDelaySeconds(count: number, random: number): number {
  return count ** 4 + 15 + Math.floor(random * 10) * (count + 1);
}

export class JobRetry {
  private readonly settings: JobRetrySettings;

  constructor(settings: Partial<JobRetrySettings> = {}) {
    this.settings = { ...defaults, ...settings };
  }

  outcomeOf(job: FailedJob, error: unknown): Outcome {
    const limit = this.retryLimit(job);
    if (limit === 'none' && job.workerOptions !== undefined) return { kind: 'discarded' };
    const count = (storedCount(job.payload) ?? -1) + 1;
    const bytes = job.payload.edit(this.failureFields(job, error, count));
    if (limit !== 'none' && !this.isExhausted(job.payload, count, limit)) {
      return { kind: 'retry', bytes, delaySeconds: retryDelaySeconds(count, this.settings.random()) };
    }
    return mayDie(job) ? { kind: 'dead', bytes } : { kind: 'discarded' };
  }

  private retryLimit({ payload, workerOptions }: FailedJob): number | 'none' {
    const retry = textOf(payload, 'retry') ?? JSON.stringify(workerOptions?.retry ?? true);
    if (retry === 'false') return 'none';
    // Ruby's truth: anything else, `"5"` and `5.0` too, means the default.
    return isInteger(retry) ? Number(retry) : this.settings.maxRetries;
  }

  /** With `retry_for`, only the time counts, as in Sidekiq 8.1. */
  private isExhausted(payload: Payload, count: number, limit: number): boolean {
    const retryForSeconds = payload.integer('retry_for');
    if (retryForSeconds === undefined) return count >= limit;
    const failedAt = payload.raw('failed_at');
    const failedAtMs = failedAt === undefined ? undefined : readTimestampMs(failedAt);
    return failedAtMs !== undefined && failedAtMs + retryForSeconds * 1_000 < this.settings.now();
  }

  /** In the order in which Ruby adds them. */
  private failureFields(job: FailedJob, error: unknown, count: number): PayloadEdits {
    const { payload, workerOptions } = job;
    const retryQueue = payload.string('retry_queue') || workerOptions?.retryQueue || job.queue;
    const now = timestampJson(this.settings.dialect, this.settings.now());
    return {
      ...(textOf(payload, 'retry') === undefined
        ? { retry: JSON.stringify(workerOptions?.retry ?? true) }
        : undefined),
      queue: JSON.stringify(retryQueue),
      error_message: JSON.stringify(errorMessage(error)),
      error_class: JSON.stringify(errorClass(error)),
      [storedCount(payload) === undefined ? 'failed_at' : 'retried_at']: now,
      retry_count: String(count),
      ...backtraceField(job, error),
    };
  }
}

/** JSON text of a key; undefined when it is absent or null, which Ruby can't tell apart. */
function textOf(payload: Payload, key: string): string | undefined {
  const text = payload.raw(key)?.toString();
  return text === 'null' ? undefined : text;
}

function isInteger(text: string): boolean {
  return /^-?\d+$/.test(text);
}

/** -1 after somebody asked for a retry by hand. undefined: this is its first failure. */
function storedCount(payload: Payload): number | undefined {
  return payload.integer('retry_count');
}

function mayDie({ payload, workerOptions }: FailedJob): boolean {
  if (workerOptions === undefined) return true;
  const own = textOf(payload, 'dead');
  return own === undefined ? workerOptions.dead !== false : own !== 'false';
}

function backtraceField({ payload, workerOptions }: FailedJob, error: unknown): PayloadEdits | undefined {
  const wanted = textOf(payload, 'backtrace') ?? JSON.stringify(workerOptions?.backtrace ?? false);
  if (wanted === 'false') return undefined;
  const lines = backtraceOf(error);
  const kept = isInteger(wanted) ? lines.slice(0, Math.max(0, Number(wanted))) : lines;
  return { error_backtrace: JSON.stringify(packBacktrace(kept)) };
}
