/**
 * What a Processor is put together from, and how it is set. Whoever composes one reads this; on the way of a job it is only
 * looked up.
 */
import type { Job, Logger, MiddlewareChain } from '@tsq/core';
import type { Clock } from './clock.js';
import type { FailureHandler } from './failure-handlers.js';
import type { ForeignFeatures } from './foreign-features.js';
import type { IterationRunner } from './iteration-runner.js';
import type { JobLogLevel } from './job-log.js';
import type { JobMetrics } from './job-metrics.js';
import type { JobRetrySettings } from './job-retry.js';
import type { JobStats } from './job-stats.js';
import type { RunningJobs } from './running-jobs.js';
import type { WorkerRegistry } from './worker-registry.js';

export interface ProcessorParts {
  readonly registry: WorkerRegistry;
  readonly middleware: MiddlewareChain<Job, void>;
  readonly running: RunningJobs;
  readonly stats: JobStats;
  /** Decides about `expires_in` and `retry_for`. Default: this host's; see RedisClock. */
  readonly clock?: Clock;
  readonly metrics?: JobMetrics | undefined;
  /** Told of each cancelled job whose end Redis has confirmed. */
  readonly cancellations?: { forget(jid: string): Promise<void> };
  /** Runs workers that iterate; without it their jobs fail. */
  readonly iterations?: IterationRunner;
  readonly logger?: Logger;
}

export interface ProcessorSettings {
  /** `maxRetries`, `dialect`, ...: see JobRetrySettings. */
  readonly retry?: Partial<JobRetrySettings>;
  /** Between a timeout's signal and giving up on a `perform` that does not heed it. Default 5000. */
  readonly timeoutGraceMs?: number;
  /** How long a worker's `retryIn` or `retriesExhausted`, or a handler, is waited for. Default 30,000. */
  readonly hookTimeoutMs?: number;
  /** Default `all`: a line at the start and one at the end of each job. */
  readonly jobLog?: JobLogLevel;
  /** How integers beyond 2^53 arrive in `args`. Default `bigint`. */
  readonly bigIntegers?: 'bigint' | 'string';
  /** Jobs that need a feature of Sidekiq Pro or Enterprise that tsq lacks. Default `refuse`: they wait in `retry` for others. */
  readonly foreignFeatures?: ForeignFeatures;
  /** Called for every failure, once its outcome was handed over. */
  readonly errorHandlers?: readonly FailureHandler[];
  /** Called for a job that will not be retried, dead or discarded, once Redis has confirmed it. */
  readonly deathHandlers?: readonly FailureHandler[];
}
