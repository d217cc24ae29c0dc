/**
 * What one call may say about its jobs, over what their worker says. The names are those of `WorkerOptions`; the payload
 * has Sidekiq's spelling (`retryQueue` is written as `retry_queue`).
 */
import { inspect } from 'node:util';
import { didYouMean, TsqError } from './errors.js';
import type { JsonValue } from './json.js';
import type { LogLevel } from './logger.js';

export interface EnqueueOptions {
  /** Without the `queue:` prefix. */
  readonly queue?: string;
  /** true: 25 retries; a number: so many; false: none. */
  readonly retry?: boolean | number;
  /** Seconds, at most 1e9: retries end this long after the first failure, whatever their count (Sidekiq 7.1.3 and later). */
  readonly retryFor?: number;
  readonly retryQueue?: string;
  /** Store the backtrace with a failed job: true, or that many lines. */
  readonly backtrace?: boolean | number;
  /** false: a job out of retries is discarded instead of going to the dead set. */
  readonly dead?: boolean;
  readonly tags?: readonly string[];
  /** Seconds after it was due (or created) from which on it is not begun any more, but dropped. More than 0, at most 1e9. */
  readonly expiresIn?: number;
  /** The least level of what the job logs, whatever its process' own. */
  readonly logLevel?: LogLevel;
  /** Overrides the worker's own `tracked`, for this job: it is written into the payload only when given here. */
  readonly tracked?: boolean;
  /** When it is due: a Date, or seconds since the epoch. Not after now: at once. */
  readonly at?: Date | number;
  /** An own job id instead of 24 random hex characters: any string that is not empty. Not for several jobs. */
  readonly jid?: string;
  /** Further keys of the payload, exactly as they are to stand there: `{ display_class: 'Import', locale: 'de' }`. */
  readonly custom?: Readonly<Record<string, JsonValue>>;
}

const known: Readonly<Record<keyof EnqueueOptions, true>> = {
  queue: true,
  retry: true,
  retryFor: true,
  retryQueue: true,
  backtrace: true,
  dead: true,
  tags: true,
  expiresIn: true,
  logLevel: true,
  tracked: true,
  at: true,
  jid: true,
  custom: true,
};

/** @throws TSQ_JOB_INVALID for a name that is none of EnqueueOptions' */
export function checkOptionNames(options: EnqueueOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TsqError('TSQ_JOB_INVALID', `options: expected an object, got ${inspect(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const hint = didYouMean(name.replaceAll('_', ''), Object.keys(known));
    throw new TsqError(
      'TSQ_JOB_INVALID',
      `no option is called "${name}"${hint}. A key of your own goes under custom: { custom: { "${name}": … } }`,
    );
  }
}

/** `above` wins, key by key; custom keys of both are kept. */
export function mergeOptions(below: EnqueueOptions, above: EnqueueOptions): EnqueueOptions {
  const merged = { ...below, ...above };
  if (below.custom === undefined || above.custom === undefined) return merged;
  return { ...merged, custom: { ...below.custom, ...above.custom } };
}
