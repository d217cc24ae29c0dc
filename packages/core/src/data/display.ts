/**
 * What a person reads for a job's class and args: ActiveJob wraps a job in one of its own, and a page that said `JobWrapper`
 * a hundred times would say nothing. The rules are Sidekiq's, for the wrappers of all its versions.
 */
import type { JsonValue } from '../json.js';

export interface Shown {
  readonly class: string;
  readonly args: readonly JsonValue[];
}

/** What the rules look at, as it stands in the payload. */
export interface Displayable extends Shown {
  value(key: string): JsonValue | undefined;
}

const wrappers: ReadonlySet<string> = new Set([
  'ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper',
  'Sidekiq::ActiveJob::Wrapper',
]);

const mailers: ReadonlySet<string> = new Set(['ActionMailer::DeliveryJob', 'ActionMailer::MailDeliveryJob']);

export function shownAs(job: Displayable): Shown {
  const label = job.value('display_class');
  const shown = wrappers.has(job.class) ? unwrapped(job) : { class: job.class, args: withoutSecret(job) };
  return typeof label === 'string' ? { ...shown, class: label } : shown;
}

function unwrapped(job: Displayable): Shown {
  const [inner] = job.args;
  const wrapped = job.value('wrapped') ?? member(inner, 'job_class');
  if (typeof wrapped !== 'string') return { class: job.class, args: job.args };
  const args = asArray(member(inner, 'arguments'));
  if (!mailers.has(wrapped)) return { class: wrapped, args };
  // [mailer, method, 'deliver_now', …]
  return { class: args.slice(0, 2).map(String).join('#'), args: mailArgs(wrapped, args.slice(3)) };
}

function mailArgs(wrapped: string, rest: readonly JsonValue[]): readonly JsonValue[] {
  return wrapped === 'ActionMailer::DeliveryJob' ? rest : asArray(member(rest[0], 'args'));
}

/** The last argument of an encrypted job is ciphertext: long, and of no use to anybody. */
function withoutSecret(job: Displayable): readonly JsonValue[] {
  const encrypted = job.value('encrypt') ?? false;
  if (encrypted === false || job.args.length === 0) return job.args;
  return [...job.args.slice(0, -1), '[encrypted data]'];
}

function member(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

function asArray(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
