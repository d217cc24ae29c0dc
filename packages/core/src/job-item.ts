/**
 * Makes a job of a worker, its args and the call's options, and refuses what Sidekiq would refuse. Nothing has touched
 * Redis when something here throws.
 */
import { inspect } from 'node:util';
import { checkArgs } from './args.js';
import { parseArgs } from './args-schema.js';
import type { ClientJob } from './client-middleware.js';
import type { EnqueueOptions } from './enqueue-options.js';
import { TsqError } from './errors.js';
import type { JsonValue } from './json.js';
import { isLogLevel, logLevels } from './logger.js';
import { type WorkerDefinition, workerDefinitionOf } from './worker-contract.js';

/** Up to here a number given as a time is one from now on, as in Sidekiq; above it is seconds since the epoch. */
const relativeBelowSeconds = 1e9;
/** The year 5138. Above it stands a time in milliseconds, the ordinary mistake in this language. */
const latestSeconds = 1e11;
/** Of what is counted from some moment on: above it stands a point in time, taken for a duration. */
const longestSeconds = 1e9;

/** Keys of the payload that have an option of their own, or that only the client or the server writes. */
const ownKeys: Readonly<Record<string, string>> = {
  class: 'the worker',
  args: 'the args',
  jid: 'the option jid',
  queue: 'the option queue',
  at: 'the option at',
  retry: 'the option retry',
  retry_for: 'the option retryFor',
  retry_queue: 'the option retryQueue',
  backtrace: 'the option backtrace',
  dead: 'the option dead',
  tags: 'the option tags',
  expires_in: 'the option expiresIn',
  expiry: 'the option expiresIn',
  log_level: 'the option logLevel',
  tracked: 'the option tracked',
  created_at: 'the client',
  enqueued_at: 'the client',
};

/**
 * The definition behind what `enqueue` was given: a decorated class, a function worker, or a name.
 * @throws TSQ_WORKER_INVALID for a class without a definition, TSQ_JOB_INVALID for a name that is none
 */
export function definitionOf(worker: unknown): WorkerDefinition {
  if (typeof worker === 'string') return { name: worker, options: {} };
  const definition = workerDefinitionOf(worker);
  if (definition !== undefined) return definition;
  const name =
    typeof worker === 'function' && worker.name !== '' ? worker.name : inspect(worker, { depth: 0 });
  throw new TsqError(
    'TSQ_WORKER_INVALID',
    `${name} is not a worker: expected a class decorated with @Worker, what defineWorker returned, or a name. ` +
      `Put @Worker({ … }) of @tsq/worker on the class itself (a subclass does not inherit it), or enqueue by name: ` +
      `enqueue('${typeof worker === 'function' ? worker.name : 'Name'}', [args])`,
  );
}

/** Not checked yet. Sidekiq's defaults stand under the worker's options, and those under the call's. */
export function newJob(
  definition: WorkerDefinition,
  call: EnqueueOptions,
  args: readonly unknown[],
  jid: string,
  atSeconds: number | undefined,
): ClientJob {
  const own = definition.options;
  return {
    jid,
    class: definition.name,
    args: args as readonly JsonValue[], // a claim that checkJob verifies, after the middleware
    queue: call.queue ?? own.queue ?? 'default',
    at: atSeconds,
    retry: call.retry ?? own.retry ?? true,
    retryFor: call.retryFor ?? own.retryFor,
    retryQueue: call.retryQueue ?? own.retryQueue,
    backtrace: call.backtrace ?? own.backtrace,
    dead: call.dead ?? own.dead,
    tags: call.tags ?? own.tags,
    expiresIn: call.expiresIn ?? own.expiresIn,
    logLevel: call.logLevel ?? own.logLevel,
    tracked: call.tracked, // the worker's own stays out of the payload, which then looks as Sidekiq's
    custom: { ...call.custom },
  };
}

/**
 * @returns seconds since the epoch
 * @throws TSQ_JOB_INVALID for what is no point in time
 */
export function dueAtSeconds(at: Date | number): number {
  const seconds = at instanceof Date ? at.getTime() / 1000 : at;
  checkAt(seconds, at);
  return seconds;
}

/** @throws TSQ_JOB_INVALID when it is not a finite number */
export function dueInSeconds(delaySeconds: number): number {
  checkAt(delaySeconds, delaySeconds);
  return delaySeconds < relativeBelowSeconds ? Date.now() / 1000 + delaySeconds : delaySeconds;
}

/** The host's clock decides, as it does in Ruby: undefined when it is due already. */
export function whenInFuture(atSeconds: number | undefined): number | undefined {
  return atSeconds !== undefined && atSeconds > Date.now() / 1000 ? atSeconds : undefined;
}

/** Everything but the args. @throws TSQ_JOB_INVALID: what was expected, and what came */
export function checkJob(job: ClientJob): void {
  const check = (holds: boolean, what: string, expected: string, got: unknown) => {
    if (!holds) throw invalid(`${what} of a job of ${inspect(job.class)}`, expected, got);
  };
  if (!isName(job.class)) throw invalid('class of a job', nameRule, job.class);
  check(isName(job.queue), 'queue', nameRule, job.queue);
  check(isName(job.jid), 'jid', nameRule, job.jid);
  check(isRetry(job.retry), 'retry', 'true, false or an integer from 0 on', job.retry);
  if (job.at !== undefined) checkAt(job.at, job.at);
  if (job.retryFor !== undefined) {
    check(isRetryFor(job.retryFor), 'retryFor', 'seconds from 0 to 1000000000', job.retryFor);
  }
  if (job.retryQueue !== undefined) check(isName(job.retryQueue), 'retryQueue', nameRule, job.retryQueue);
  if (job.backtrace !== undefined) {
    check(isRetry(job.backtrace), 'backtrace', 'true, false or a number of lines', job.backtrace);
  }
  if (job.dead !== undefined) check(typeof job.dead === 'boolean', 'dead', 'true or false', job.dead);
  if (job.tracked !== undefined) {
    check(typeof job.tracked === 'boolean', 'tracked', 'true or false', job.tracked);
  }
  if (job.expiresIn !== undefined) {
    check(
      isLifetime(job.expiresIn),
      'expiresIn',
      'seconds, more than 0 and at most 1000000000',
      job.expiresIn,
    );
  }
  if (job.logLevel !== undefined) {
    check(isLogLevel(job.logLevel), 'logLevel', logLevels.join(', '), job.logLevel);
  }
  if (job.tags !== undefined) check(isTags(job.tags), 'tags', 'an array of strings', job.tags);
  checkCustom(job);
}

/**
 * The args alone: an array, of what JSON and Ruby carry, that fits the worker's schema.
 * @throws TSQ_JOB_INVALID, TSQ_ARGS_INVALID, TSQ_ARGS_REJECTED
 */
export function checkJobArgs(definition: WorkerDefinition, args: unknown): void {
  if (!Array.isArray(args)) throw invalid(`args of a job of '${definition.name}'`, 'an array', args);
  checkArgs(args);
  if (definition.options.args !== undefined) parseArgs(definition.name, definition.options.args, args);
}

export function invalid(what: string, expected: string, got: unknown): TsqError {
  const shown = inspect(got, { depth: 1, breakLength: Infinity, maxStringLength: 80, maxArrayLength: 5 });
  return new TsqError('TSQ_JOB_INVALID', `${what}: expected ${expected}, got ${shown}`);
}

function checkAt(seconds: unknown, given: unknown): void {
  if (typeof seconds === 'number' && Number.isFinite(seconds) && seconds < latestSeconds) return;
  const hint =
    typeof seconds === 'number' && seconds >= latestSeconds
      ? '. That looks like milliseconds: pass a Date, or divide by 1000'
      : '';
  const error = invalid('time of a job', 'a Date or a finite number of seconds', given);
  throw new TsqError(error.code, `${error.message}${hint}`);
}

function checkCustom(job: ClientJob): void {
  for (const key in job.custom) {
    const owner = Object.hasOwn(ownKeys, key) ? ownKeys[key] : undefined;
    if (owner !== undefined) {
      throw invalid(`custom key of a job of '${job.class}'`, `a key that ${owner} does not write`, key);
    }
    if (malformed.test(key)) throw invalid(`custom key of a job of '${job.class}'`, nameRule, key);
    checkCustomValue(key, job.custom[key]);
  }
}

function checkCustomValue(key: string, value: unknown): void {
  try {
    checkArgs([value]);
  } catch (error) {
    if (!(error instanceof TsqError)) throw error;
    throw new TsqError(error.code, error.message.replace('args[0]', `custom.${key}`), { cause: error });
  }
}

const nameRule = 'a string that is not empty, without control characters or lone surrogates';
const malformed = /[\p{Cc}\p{Cs}]/u;

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !malformed.test(value);
}

function isRetry(value: unknown): boolean {
  return typeof value === 'boolean' || (Number.isSafeInteger(value) && Number(value) >= 0);
}

function isRetryFor(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= longestSeconds;
}

function isLifetime(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value <= longestSeconds;
}

function isTags(value: unknown): boolean {
  return Array.isArray(value) && value.every((tag) => typeof tag === 'string' && !/\p{Cs}/u.test(tag));
}
