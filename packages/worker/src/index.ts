/** What @tsq/worker shows: a name that isn't here is ours to change. */

// Writing workers

export { currentJob, maybeCurrentJob } from './current-job.js';
export { defineIterableWorker } from './define-iterable-worker.js';
export { type DefinedWorker, defineWorker, type FunctionWorkerSettings } from './define-worker.js';
export { arrayEnumerator, type IterationPage, pageEnumerator } from './enumerators.js';
export {
  IterableWorker,
  type IterationSource,
  type IterationStep,
  type IterationSteps,
} from './iterable-worker.js';
export type { AnyWorker, RegisteredWorker } from './registered-worker.js';
export { Worker, type WorkerDecorator } from './worker-decorator.js';
export { WorkerRegistry } from './worker-registry.js';
export type { WorkerSettings } from './worker-settings.js';

// Running one job

export { type Clock, RedisClock } from './clock.js';
export type { FailureEnding, FailureHandler } from './failure-handlers.js';
export type { ForeignFeatures } from './foreign-features.js';
export { IterationRunner, type IterationRunnerOptions } from './iteration-runner.js';
export type { JobLogLevel } from './job-log.js';
export type { JobProcessor, ProcessedJob } from './job-processor.js';
export { type JobRetrySettings, retryDelaySeconds } from './job-retry.js';
export { Processor } from './processor.js';
export type { ProcessorCounts } from './processor-counts.js';
export type { ProcessorParts, ProcessorSettings } from './processor-settings.js';

// What runs, and what was counted

export {
  Cancellations,
  type CancellationsParts,
  type CancellationsSettings,
} from './cancellations.js';
export { JobMetrics } from './job-metrics.js';
export { type JobCounts, JobStats } from './job-stats.js';
export { type RunningJob, RunningJobs } from './running-jobs.js';

// Keeping N jobs running, starting and stopping

export { Launcher } from './launcher.js';
export {
  type GiveBackReason,
  Manager,
  type ManagerEvents,
  type ManagerParts,
  type ManagerSettings,
} from './manager.js';
export { type QueueMode, QueueOrder, queueMode, type WeightedQueue } from './queue-order.js';
export { Together } from './together.js';

// What is due

export { Poller, type PollerCounts, type PollerOptions } from './poller.js';

// The process, as others see it

export { type CapsuleInfo, newProcessIdentity, type ProcessInfo } from './process-info.js';
export { ProcessRegistry, type ProcessRegistryOptions, type ProcessSignal } from './process-registry.js';
export { checkRedis, type RedisFacts } from './redis-check.js';

// What a program adds

export { callPoisonHandlers, type PoisonHandler, type PoisonJob } from './poison-handlers.js';
export type { ServerCounters } from './server-counters.js';
export {
  type DeathRule,
  type ServerEventListener,
  type ServerEventMap,
  type ServerEventName,
  ServerEvents,
} from './server-events.js';
export { type ConfigureServer, ServerSetup } from './server-setup.js';
export type { TrackingSetup } from './tracking-setup.js';
