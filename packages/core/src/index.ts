/** What @tsq/core shows: a name that isn't here is ours to change. */
export { checkArgs } from './args.js';
export type { Component } from './component.js';
export {
  type ConnectionOptions,
  openConnection,
  type RedisLocation,
  unavailable,
  whenReady,
} from './connection.js';
export { type DeadSetLimits, sidekiqDeadSet } from './dead-set.js';
export { type Dialect, readTimestampMs, timestampJson } from './dialect.js';
export { didYouMean, type ErrorCode, errorCodes, TsqError } from './errors.js';
export { parseJson, stringifyJson } from './exact-json.js';
export type { Job, ServerMiddleware } from './job.js';
export type { JsonValue } from './json.js';
export { keys } from './keys.js';
export { type Logger, silentLogger } from './logger.js';
export { isNoScript, LuaScript, type ScriptArgument } from './lua-script.js';
export { type Middleware, MiddlewareChain } from './middleware-chain.js';
export { Payload, type PayloadEdits, type PayloadLimits } from './payload.js';
export type { Fetcher, Outcome, Settlement, UnitOfWork } from './unit-of-work.js';
export {
  type ArgsOf,
  type FunctionWorker,
  type WorkerClass,
  type WorkerDefinition,
  type WorkerOptions,
  workerDefinition,
  workerDefinitionOf,
} from './worker-contract.js';
