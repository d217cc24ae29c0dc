/** What @tsq/worker shows: a name that isn't here is ours to change. */
// Writing workers
export { currentJob, maybeCurrentJob } from './current-job.js';
export { type DefinedWorker, defineWorker, type FunctionWorkerSettings } from './define-worker.js';
// Running one job
export type { FailureHandler } from './failure-handlers.js';
export type { JobLogLevel } from './job-log.js';
export type { JobProcessor, ProcessedJob } from './job-processor.js';
export { type JobRetrySettings, retryDelaySeconds } from './job-retry.js';
export {
  Processor,
  type ProcessorCounts,
  type ProcessorParts,
  type ProcessorSettings,
} from './processor.js';
export type { AnyWorker, RegisteredWorker } from './registered-worker.js';
export { Worker, type WorkerDecorator } from './worker-decorator.js';
export { WorkerRegistry } from './worker-registry.js';
export type { WorkerSettings } from './worker-settings.js';
