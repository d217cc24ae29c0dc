/**
 * What a worker is, as far as a producer and the tracker need to know: its name on the wire, its options and the types of
 * its arguments. The decorator and `defineWorker` of @tsq/worker make them; the Client reads them. They meet under a
 * registered symbol, so two copies of a package in one program still understand each other.
 */
import type { ZodType } from 'zod';
import type { Job } from './job.js';
import type { JsonValue } from './json.js';
import type { LogLevel } from './logger.js';

/**
 * Seconds from now (more than 0, at most 1e9; the jitter comes on top); `default`: Sidekiq's formula; `kill`: as if the
 * retries were exhausted; `discard`: no retry and no dead set.
 */
export type RetryDecision = number | 'default' | 'kill' | 'discard';

/**
 * Asked after a failure that leaves a retry. `count` is 0 after the first one. undefined means `default`; so does, with a
 * warning, what is no RetryDecision, what throws, and what does not answer in time.
 */
export type RetryIn = (
  count: number,
  error: unknown,
  job: Job,
) => RetryDecision | undefined | Promise<RetryDecision | undefined>;

/** Called when no retry is left, before the job goes to the dead set. Returns (or resolves to) `'discard'`: it shall not go there. */
export type RetriesExhausted = (job: Job, error: unknown) => unknown;

/** What a job's class says about its jobs. Times are in seconds, as Sidekiq's users write them. */
export interface WorkerOptions {
  /** Default `default`. */
  readonly queue?: string;
  /** true: `maxRetries` (25) retries; a number: so many; false: none, and not to the dead set. Default true. */
  readonly retry?: boolean | number;
  /** The queue for retries, when it is another. */
  readonly retryQueue?: string;
  /** Seconds, at most 1e9: retries end this long after the first failure, whatever their count. */
  readonly retryFor?: number;
  /** When it is retried, if at all. Default: Sidekiq's formula, some 20 days over 25 retries. */
  readonly retryIn?: RetryIn;
  readonly retriesExhausted?: RetriesExhausted;
  /** Keep the claim while `perform` runs, so that a killed process' jobs come back. Default false: Sidekiq's at-most-once. */
  readonly tracked?: boolean;
  /** Seconds after which the job's AbortSignal fires and the job fails. Default: none. */
  readonly timeout?: number;
  /** false: a job out of retries is discarded instead of going to the dead set. Default true. */
  readonly dead?: boolean;
  /** Store the backtrace with a failed job: true, or that many lines. Default false. */
  readonly backtrace?: boolean | number;
  readonly tags?: readonly string[];
  /** Seconds after the job was due (or created) from which on it is not begun any more, but dropped. Default: never. */
  readonly expiresIn?: number;
  /** The least level of what its jobs log, whatever the process' own. */
  readonly logLevel?: LogLevel;
  /** Of a worker that iterates: seconds after which a run makes room for others, to go on later. Default: that of the process. */
  readonly maxIterationRuntime?: number;
  /** Schema of the args, a tuple or array: bad ones never reach `perform`. */
  readonly args?: ZodType<readonly unknown[], readonly unknown[]>;
}

/** A worker as the registry and the client see it. */
export interface WorkerDefinition {
  /** The name on the wire: `class` of a payload. */
  readonly name: string;
  readonly options: WorkerOptions;
}

export const workerDefinition: unique symbol = Symbol.for('tsq.worker-definition') as never;

/** A class with `perform`, decorated with @Worker. */
export interface WorkerClass<Args extends readonly never[] = never[]> {
  new (): { perform(...args: Args): unknown };
}

/** What `defineWorker` returns. */
export interface FunctionWorker<Args extends readonly unknown[] = readonly unknown[]> {
  readonly [workerDefinition]: WorkerDefinition;
  /** Only a type: what `enqueue` takes. */
  readonly argsType?: Args;
}

/** What can be enqueued: a decorated class, what `defineWorker` returned, or the name of a class of any language. */
export type WorkerReference = WorkerClass | FunctionWorker | string;

/**
 * The arguments that `enqueue` takes for a worker: `perform`'s own. A function worker whose schema transforms its args says
 * with `argsType` what goes in; a class can't, so its `perform` should take what stands on the wire.
 */
export type ArgsOf<W> =
  W extends FunctionWorker<infer Args>
    ? Args
    : W extends new () => { perform(...args: infer Args): unknown }
      ? Args
      : readonly JsonValue[];

/** The definition of a decorated class or a function worker; undefined for anything else. Not inherited by subclasses. */
export function workerDefinitionOf(worker: unknown): WorkerDefinition | undefined {
  if ((typeof worker !== 'function' && typeof worker !== 'object') || worker === null) return undefined;
  const own = Object.getOwnPropertyDescriptor(worker, workerDefinition);
  return own?.value as WorkerDefinition | undefined;
}
