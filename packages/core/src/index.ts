/** What @tsq/core shows: a name that isn't here is ours to change. */
export { checkArgs } from './args.js';
export { parseArgs } from './args-schema.js';
export type { BulkOptions } from './bulk.js';
export { cancelJob, cancelledKey, cancelledOf, forgetCancellation } from './cancellation.js';
export { Client, type ClientOptions } from './client.js';
export type { ClientJob, ClientMiddleware } from './client-middleware.js';
export type { Component } from './component.js';
export {
  type ConnectionOptions,
  openConnection,
  type RedisLocation,
  unavailable,
  whenReady,
} from './connection.js';
export { type DeadSetLimits, sidekiqDeadSet } from './dead-set.js';
export { describeValue } from './describe-value.js';
export { type Dialect, readTimestampMs, timestampJson } from './dialect.js';
export { EnqueueError, type PushOutcome } from './enqueue-error.js';
export type { EnqueueOptions } from './enqueue-options.js';
export type { EnqueueArgs, Enqueuer } from './enqueuer.js';
export { didYouMean, type ErrorCode, errorCodes, TsqError } from './errors.js';
export { parseJson, stringifyJson } from './exact-json.js';
export type { Job, ServerMiddleware } from './job.js';
export type { JsonValue } from './json.js';
export { keys } from './keys.js';
export { type Logger, silentLogger } from './logger.js';
export { isNoScript, LuaScript, type ScriptArgument } from './lua-script.js';
export { type Middleware, MiddlewareChain } from './middleware-chain.js';
export { pause } from './pause.js';
export { Payload, type PayloadEdits, type PayloadLimits } from './payload.js';
export type { Fetcher, Outcome, Settlement, UnitOfWork } from './unit-of-work.js';
export {
  type ArgsOf,
  type FunctionWorker,
  type WorkerClass,
  type WorkerDefinition,
  type WorkerOptions,
  type WorkerReference,
  workerDefinition,
  workerDefinitionOf,
} from './worker-contract.js';
