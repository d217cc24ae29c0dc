/** What @tsq/core shows: a name that isn't here is ours to change. */

export { type FaultName, faultNames, faultPoint } from '#fault-point';
export { checkArgs } from './args.js';
export { parseArgs } from './args-schema.js';
export type { BulkOptions } from './bulk.js';
export { cancelIteration, iterationTtlSeconds } from './cancel-iteration.js';
export { cancelJob, cancelledKey, cancelledOf, forgetCancellation } from './cancellation.js';
export { Client, type ClientOptions } from './client.js';
export type { ClientJob, ClientMiddleware } from './client-middleware.js';
export type { Component } from './component.js';
export { type ConnectionOptions, openConnection, unavailable, whenReady } from './connection.js';
export type { ConnectionNews, ConnectionReporter } from './connection-news.js';
export { type ConnectionRefusal, endsConnection, refusalOf } from './connection-refusal.js';
export { DeadSet } from './data/dead-set.js';
export { type DeployMark, Deploys } from './data/deploys.js';
export { removeGoneProcesses } from './data/gone-processes.js';
export { JobRecord } from './data/job-record.js';
export type { EntryPage, EntryPageOptions, JobSet, JobSetOptions } from './data/job-set.js';
export {
  type ClassDetails,
  type ClassMetrics,
  type MetricsPoint,
  MetricsQuery,
  type MetricsWindow,
} from './data/metrics-query.js';
export type { PageOptions } from './data/page.js';
export type { Process } from './data/process.js';
export { ProcessSet } from './data/process-set.js';
export { Queue, type QueuePage } from './data/queue.js';
export type { QueuedJob } from './data/queued-job.js';
export { redisTimeMs } from './data/redis-time.js';
export { buffersIn, repliesOf } from './data/replies.js';
export { RetrySet } from './data/retry-set.js';
export { ScheduledSet } from './data/scheduled-set.js';
export type { EntryOrder } from './data/set-page.js';
export type { SortedEntry } from './data/sorted-entry.js';
export { type Counter, Stats, type StatsSnapshot } from './data/stats.js';
export { StatsHistory } from './data/stats-history.js';
export type { SweepCounts, SweepOptions } from './data/sweep.js';
export { moveToDead, type ToDeadOutcome } from './data/to-dead.js';
export { type Work, WorkSet } from './data/work-set.js';
export { type DeadSetLimits, sidekiqDeadSet } from './dead-set.js';
export { describeValue } from './describe-value.js';
export { type Dialect, readTimestampMs, timestampJson } from './dialect.js';
export { enqueueEdits, queueOf } from './enqueue-edits.js';
export { EnqueueError, type PushOutcome } from './enqueue-error.js';
export type { EnqueueOptions } from './enqueue-options.js';
export type { BulkArgs, EnqueueArgs, Enqueuer } from './enqueuer.js';
export { didYouMean, type ErrorCode, errorCodes, TsqError } from './errors.js';
export { parseJson, stringifyJson } from './exact-json.js';
export { failureKind } from './failure-kind.js';
export { addHistogram, histogramBucket, histogramBuckets, percentileMs } from './histogram.js';
export type { Job, ServerMiddleware, TrackingPredicate } from './job.js';
export type { JobRecorder, RecordedJob } from './job-recorder.js';
export type { AsJson, JsonValue } from './json.js';
export { keys } from './keys.js';
export { LastWords, untilSaid } from './last-words.js';
export { isLogLevel, type Logger, type LogLevel, logLevels, silentLogger } from './logger.js';
export { isNoScript, LuaScript, type ScriptArgument } from './lua-script.js';
export { type MetricsForm, type MetricsFormName, metricsForms, metricsTtlSeconds } from './metric-keys.js';
export { type Middleware, MiddlewareChain } from './middleware-chain.js';
export { Outages } from './outages.js';
export { pause } from './pause.js';
export { Payload, type PayloadEdits, type PayloadLimits } from './payload.js';
export {
  isSentinelNode,
  type RedisLocation,
  type SentinelLocation,
  sentinelNodeRule,
  shownLocation,
} from './redis-location.js';
export { isRedisUrl, redisUrlRule, withoutPassword } from './redis-url.js';
export { Roster, type Seated } from './roster.js';
export { Trouble } from './trouble.js';
export type { Fetcher, Outcome, Settlement, UnitOfWork } from './unit-of-work.js';
export {
  type ArgsOf,
  type FunctionWorker,
  type RetriesExhausted,
  type RetryDecision,
  type RetryIn,
  type WorkerClass,
  type WorkerDefinition,
  type WorkerOptions,
  type WorkerReference,
  workerDefinition,
  workerDefinitionOf,
} from './worker-contract.js';
export { keyTypesOf, withKeyTypes } from './wrong-type.js';
