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
  timestampJson,
  type WorkerOptions,
} from '@tsq/core';
import { type Clock, hostClock } from './clock.js';
import { distinctNow } from './distinct-now.js';
import { durationSeconds, timeMs } from './payload-times.js';
import type { RetryHooks } from './retry-hooks.js';
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
  /**
   * What ends the retries of a job with `retry_for`: `time` alone, as in Sidekiq 8.1, or `time-or-count`, whichever comes
   * first, as in 7.1.3 to 8.0. Default `time`.
   */
  readonly retryForRule: 'time' | 'time-or-count';
  /** From 0 up to, not including, 1: the jitter. */
  readonly random: () => number;
  /** Milliseconds since the epoch, for `failed_at` and `retried_at`, never the same twice; when a retry is due is for Redis to say. */
  readonly now: () => number;
}

const defaults: Omit<JobRetrySettings, 'now'> = {
  maxRetries: 25,
  dialect: 'seconds',
  retryForRule: 'time',
  random: Math.random,
};

const discarded: Outcome = { kind: 'discarded' };

/**
 * @param count `retry_count` of the entry that waits: 0 after the first failure
 * @param random from 0 up to, not including, 1
 * @returns whole seconds: 15 to 24 for the first retry, some 4 days for the 25th
 */
export function retryDelaySeconds(count: number, random: number): number {
  return count ** 4 + 15 + jitterSeconds(count, random);
}

/** As Sidekiq 8: any whole second of the span. Up to 7 it was a multiple of count + 1, which spreads jobs over ten moments only. */
function jitterSeconds(count: number, random: number): number {
  return Math.floor(random * 10 * Math.max(0, count + 1));
}

export class JobRetry {
  private readonly settings: JobRetrySettings;

  /** @param clock decides about `retry_for` */
  constructor(
    settings: Partial<JobRetrySettings> = {},
    private readonly clock: Clock = hostClock,
  ) {
    this.settings = { ...defaults, now: distinctNow(), ...settings };
  }

  /** @param hooks the worker's own code; asked only where a retry, or the dead set, would come next */
  async outcomeOf(job: FailedJob, error: unknown, hooks?: RetryHooks): Promise<Outcome> {
    const limit = this.retryLimit(job);
    if (limit === 'none' && job.workerOptions !== undefined) return discarded;
    const retryForSeconds = durationSeconds(job.payload, 'retry_for') ?? job.workerOptions?.retryFor;
    // What was stamped by the clock of one host would be judged by that of another.
    const clockMs = retryForSeconds === undefined ? undefined : await this.clock.nowMs();
    const nowMs = clockMs ?? this.settings.now();
    const count = (storedCount(job.payload) ?? -1) + 1;
    const bytes = job.payload.edit(this.failureFields(job, error, count, nowMs));
    if (limit === 'none' || this.isExhausted(job.payload, { count, limit, retryForSeconds, clockMs })) {
      return await exhausted(job, bytes, error, hooks);
    }
    const decision = (await hooks?.retryIn(count, error)) ?? 'default';
    if (decision === 'discard') return discarded;
    if (decision === 'kill') return await exhausted(job, bytes, error, hooks);
    return { kind: 'retry', bytes, delaySeconds: this.delaySeconds(count, decision) };
  }

  /** JSON text of this moment, in the dialect of the fleet. */
  stamp(): string {
    return timestampJson(this.settings.dialect, this.settings.now());
  }

  private delaySeconds(count: number, decision: number | 'default'): number {
    const random = this.settings.random();
    if (decision === 'default') return retryDelaySeconds(count, random);
    return decision + jitterSeconds(count, random);
  }

  private retryLimit({ payload, workerOptions }: FailedJob): number | 'none' {
    const retry = textOf(payload, 'retry') ?? JSON.stringify(workerOptions?.retry ?? true);
    if (retry === 'false') return 'none';
    // Ruby's truth: anything else, `"5"` and `5.0` too, means the default.
    return isInteger(retry) ? Number(retry) : this.settings.maxRetries;
  }

  private isExhausted(payload: Payload, { count, limit, retryForSeconds, clockMs }: Reckoning): boolean {
    if (retryForSeconds === undefined) return count >= limit;
    // Of a job that was refused before, `failed_at` stands without a count: it has not failed yet.
    const failedAtMs = storedCount(payload) === undefined ? undefined : timeMs(payload, 'failed_at');
    const isOver =
      failedAtMs !== undefined && clockMs !== undefined && failedAtMs + retryForSeconds * 1_000 < clockMs;
    // One that failed before, nobody can say when, must come to an end too.
    const countsToo =
      this.settings.retryForRule === 'time-or-count' || (failedAtMs === undefined && count > 0);
    return isOver || (countsToo && count >= limit);
  }

  /** In the order in which Ruby adds them. */
  private failureFields(job: FailedJob, error: unknown, count: number, nowMs: number): PayloadEdits {
    const { payload, workerOptions } = job;
    const retryQueue = payload.string('retry_queue') || workerOptions?.retryQueue || job.queue;
    const now = timestampJson(this.settings.dialect, nowMs);
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

/** What decides whether a job has had all its retries. */
interface Reckoning {
  readonly count: number;
  readonly limit: number;
  readonly retryForSeconds: number | undefined;
  readonly clockMs: number | undefined;
}

async function exhausted(
  job: FailedJob,
  bytes: Buffer,
  error: unknown,
  hooks: RetryHooks | undefined,
): Promise<Outcome> {
  // Asked also when the job is not to go there: it is a job's last word (Sidekiq).
  const word = await hooks?.retriesExhausted(error);
  return word === 'discard' || !mayDie(job) ? discarded : { kind: 'dead', bytes };
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
