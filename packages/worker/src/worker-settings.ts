/**
 * What `@Worker` and `defineWorker` take, checked while the file that says it is loaded: a wrong option is an error of the
 * start, with the worker's name, and not of a job in the night.
 */
import {
  describeValue,
  didYouMean,
  isLogLevel,
  logLevels,
  TsqError,
  type WorkerDefinition,
  type WorkerOptions,
} from '@tsq/core';

/** `WorkerOptions` and the name on the wire. */
export interface WorkerSettings extends WorkerOptions {
  /** `class` of the payloads; a Ruby name (`Billing::Charge`) is one. Default: the name of the class. */
  readonly name?: string;
}

interface Rule {
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

/** Node's timers hold no more: 24.8 days. */
const maxTimeoutSeconds = 2_147_483;

const text: Rule = {
  expected: 'a string that is not empty, without control characters or lone surrogates',
  accepts: (value) => typeof value === 'string' && value !== '' && !/[\p{Cc}\p{Cs}]/u.test(value),
};
const yesOrNo: Rule = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' };
const yesNoOrCount: Rule = {
  expected: 'true, false or an integer from 0 up',
  accepts: (value) => typeof value === 'boolean' || (Number.isSafeInteger(value) && Number(value) >= 0),
};

/** A point in time in place of a duration is more. */
const longestSeconds = 1e9;
const code: Rule = { expected: 'a function', accepts: (value) => typeof value === 'function' };

const rules: Readonly<Record<keyof WorkerSettings, Rule>> = {
  name: text,
  queue: text,
  retry: yesNoOrCount,
  retryQueue: text,
  retryFor: {
    expected: `seconds from 0 to ${longestSeconds}`,
    accepts: (value) => typeof value === 'number' && value >= 0 && value <= longestSeconds,
  },
  retryIn: code,
  retriesExhausted: code,
  tracked: yesOrNo,
  timeout: {
    expected: `seconds, more than 0 and at most ${maxTimeoutSeconds}`,
    accepts: (value) => typeof value === 'number' && value > 0 && value <= maxTimeoutSeconds,
  },
  dead: yesOrNo,
  backtrace: yesNoOrCount,
  tags: {
    expected: 'an array of strings',
    accepts: (value) => Array.isArray(value) && value.every((tag) => typeof tag === 'string'),
  },
  expiresIn: {
    expected: `seconds, more than 0 and at most ${longestSeconds}`,
    accepts: (value) => typeof value === 'number' && value > 0 && value <= longestSeconds,
  },
  logLevel: { expected: `one of ${logLevels.join(', ')}`, accepts: isLogLevel },
  maxIterationRuntime: {
    expected: 'seconds, more than 0',
    accepts: (value) => typeof value === 'number' && value > 0,
  },
  args: {
    expected: 'a zod schema of a tuple or an array',
    // By what it can do: the workers' project may have a copy of zod of its own.
    accepts: (value) =>
      typeof value === 'object' &&
      value !== null &&
      'safeParse' in value &&
      typeof value.safeParse === 'function',
  },
};

/** @throws TSQ_WORKER_INVALID an option that nothing reads, or of the wrong type */
export function definitionOf(defaultName: string, settings: WorkerSettings): WorkerDefinition {
  const worker = defaultName === '' ? 'a worker without a name' : `worker "${defaultName}"`;
  checkSettings(worker, settings);
  const { name = defaultName, ...options } = settings;
  if (name === '') {
    throw new TsqError(
      'TSQ_WORKER_INVALID',
      `${worker}: it needs one; give the class a name, or the option \`name\``,
    );
  }
  return Object.freeze({ name, options: Object.freeze(options) });
}

function checkSettings(worker: string, settings: unknown): void {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    const message = `${worker}: expected an object of options, got ${describeValue(settings)}`;
    throw new TsqError('TSQ_WORKER_INVALID', message);
  }
  for (const [key, value] of Object.entries(settings)) {
    if (value !== undefined) checkSetting(worker, key, value);
  }
}

function checkSetting(worker: string, key: string, value: unknown): void {
  const rule = isSetting(key) ? rules[key] : undefined;
  if (rule === undefined) {
    const hint = didYouMean(key, Object.keys(rules));
    throw new TsqError('TSQ_WORKER_INVALID', `${worker}: no option "${key}"${hint}`);
  }
  if (!rule.accepts(value)) {
    const message = `${worker}: ${key}: expected ${rule.expected}, got ${describeValue(value)}`;
    throw new TsqError('TSQ_WORKER_INVALID', message);
  }
}

function isSetting(key: string): key is keyof WorkerSettings {
  return Object.hasOwn(rules, key);
}
