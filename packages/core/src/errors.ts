/**
 * Every error of tsq is a TsqError with a code from this one table. A message says what was expected, what came and what
 * to do; the code is what programs, alerts and docs/errors.md refer to.
 */
import { closest, distance } from 'fastest-levenshtein';

/** Every code with its meaning. docs/errors.md is held to this table by a test, in both directions. */
export const errorCodes = {
  TSQ_ARGS_INVALID: 'an argument of a job that JSON, or Ruby, can not carry exactly',
  TSQ_ARGS_REJECTED: "arguments that do not fit the worker's schema",
  TSQ_BULK_STOPPED:
    'enqueueBulk stopped in the middle: a client middleware threw after some jobs were pushed',
  TSQ_CLAIM_LOST: 'the claim on a job is gone: another instance owns the job now',
  TSQ_CLIENT_CLOSED: 'a client used after close()',
  TSQ_COMPONENT_STOPPED: 'start after stop',
  TSQ_CONFIG_INVALID: 'a setting of the wrong type or out of range',
  TSQ_CONFIG_UNKNOWN_KEY: 'a setting that nothing reads',
  TSQ_CONFIG_UNREADABLE: 'a configuration file that is absent or can not be read',
  TSQ_DEPLOY_INVALID: 'a deploy mark without a label, or at no point in time',
  TSQ_DRILL_INCONCLUSIVE: 'a drill that could not be carried out: it has shown nothing',
  TSQ_ENTRY_ID_INVALID: 'an id of an entry that is not SCORE-JID',
  TSQ_EVENT_UNKNOWN: 'an event that tsq never emits',
  TSQ_INSTANCE_UNREGISTERED:
    'this instance was declared dead: it may claim nothing until it has registered anew',
  TSQ_JOB_CANCELLED: 'somebody has cancelled the job',
  TSQ_JOB_INVALID: 'a job that Sidekiq would refuse: its class, queue, args, at, tags or retry',
  TSQ_ITERATION_UNREADABLE: 'the stored cursor of an iterable job that is no JSON',
  TSQ_JOB_INTERRUPTED: 'an iterable job that stored where it stands, to go on later',
  TSQ_JOB_REFUSED: 'a job that relies on a feature of Sidekiq Pro or Enterprise which tsq does not have',
  TSQ_JOB_POISON: 'a job whose process died each time that it was started',
  TSQ_JOB_STOPPED: 'the process stops and the deadline for running jobs has passed',
  TSQ_JOB_TIMEOUT: "a job ran longer than its worker's timeout",
  TSQ_METRICS_WINDOW_INVALID: 'a stretch of time that the metrics do not keep',
  TSQ_MIDDLEWARE_UNKNOWN: 'a position in a middleware chain that names no entry of it',
  TSQ_NO_CURRENT_JOB: 'currentJob() called where no job runs',
  TSQ_PAYLOAD_TOO_DEEP: 'a payload nested deeper than the limit',
  TSQ_PAYLOAD_TOO_LARGE: 'a payload longer than the limit',
  TSQ_PAYLOAD_UNREADABLE: 'bytes that are not one JSON object with a class and args',
  TSQ_PROCESS_EMBEDDED: 'a signal for a process that runs inside another program',
  TSQ_QUEUE_NAME_INVALID: 'a name that no queue can have',
  TSQ_REDIS_REFUSED:
    'Redis answered a command with an error: it is full, read-only, or a key has the wrong type',
  TSQ_REDIS_UNAVAILABLE: 'Redis did not answer within the deadline',
  TSQ_REDIS_UNSUITABLE: 'a Redis that tsq can not run on: too old, or a key of the wrong type',
  TSQ_STATS_DAYS_INVALID: 'a range of days that the statistics do not keep',
  TSQ_WORKER_DUPLICATE: 'two workers with one name',
  TSQ_WORKER_INVALID: 'a worker without perform, or with options of the wrong type',
  TSQ_WORKER_UNKNOWN: 'a job of a class that this process does not know',
  TSQ_WORKERS_UNLOADABLE: 'a worker file that is absent, or failed while it was loaded',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export class TsqError extends Error {
  // Written as the class name into `error_class` of a failed job, so Ruby's pages show it.
  override readonly name = 'TsqError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** `; did you mean "x"?`, to be put behind a message; the empty string when no candidate is near. */
export function didYouMean(given: string, candidates: readonly string[]): string {
  if (candidates.length === 0) return '';
  const near = closest(
    given.toLowerCase(),
    candidates.map((name) => name.toLowerCase()),
  );
  const best = candidates.find((name) => name.toLowerCase() === near);
  const tolerance = Math.max(1, Math.floor(given.length / 3));
  if (best === undefined || distance(given.toLowerCase(), near) > tolerance) return '';
  return `; did you mean "${best}"?`;
}
