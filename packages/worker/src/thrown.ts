/**
 * What a job threw, as a retry entry shows it. JavaScript lets anything be thrown, and an error's getters run its user's
 * code; whatever comes, a failure that can't be described must not cost the job its retry.
 */

import { inspect } from 'node:util';
import { deflateSync } from 'node:zlib';

/** In code points, as Sidekiq counts. */
const maxMessageLength = 10_000;
/** Of an error and all that it carries, so that no circle and no crowd goes on for ever. */
const maxErrors = 10;
const unreadable = '(the message of the error could not be read)';

/**
 * With its code in front for an error of tsq: all of those are of one class. Behind it what it carries, for often only that
 * says what happened (`fetch failed`): `own; caused by Class: message`, and of several `own (Class: message; …)`.
 */
export function errorMessage(thrown: unknown): string {
  return presentable(attempt(() => fullMessage(thrown, new Set(), '')) ?? unreadable);
}

/** The name that the error was given, or else its class'; for what is no error, its type. */
export function errorClass(thrown: unknown): string {
  const name = attempt(() => classOf(thrown));
  return name === undefined || name === '' ? 'Error' : wellFormed(name);
}

/** The stack's lines without the message, then those of each `cause` and of the errors of an AggregateError. Empty for no error. */
export function backtraceOf(thrown: unknown): readonly string[] {
  const lines: string[] = [];
  const waiting: { readonly error: unknown; readonly role?: string }[] = [{ error: thrown }];
  const seen = new Set<unknown>();
  for (let next = waiting.shift(); next !== undefined && seen.size < maxErrors; next = waiting.shift()) {
    const { error, role } = next;
    if (!isErrorLike(error) || seen.has(error)) continue;
    seen.add(error);
    if (role !== undefined) lines.push(`${role}: ${errorClass(error)}: ${ownMessageLine(error)}`);
    lines.push(...stackLines(error));
    waiting.unshift({ error: causeOf(error), role: 'Caused by' });
    waiting.push(...errorsOf(error).map((one) => ({ error: one, role: 'Contains' })));
  }
  return lines;
}

/** As Sidekiq stores it: a JSON array of strings, deflated, base64 without line breaks. */
export function packBacktrace(lines: readonly string[]): string {
  return deflateSync(JSON.stringify(lines)).toString('base64');
}

/** @param said the words of those that carry it: they are not repeated */
function fullMessage(thrown: unknown, seen: Set<unknown>, said: string): string {
  seen.add(thrown);
  let text = ownMessage(thrown);
  if (!isErrorLike(thrown)) return text;
  const contained = errorsOf(thrown).flatMap((error) => mention(error, seen, said + text) ?? []);
  if (contained.length > 0) text = text === '' ? contained.join('; ') : `${text} (${contained.join('; ')})`;
  const cause = mention(causeOf(thrown), seen, said + text);
  if (cause === undefined) return text;
  return text === '' ? `caused by ${cause}` : `${text}; caused by ${cause}`;
}

/** undefined when there is nothing to add: it was named before, or who wrapped it took its words over. */
function mention(thrown: unknown, seen: Set<unknown>, said: string): string | undefined {
  if (thrown === undefined || thrown === null || seen.has(thrown) || seen.size >= maxErrors) return undefined;
  if (!isErrorLike(thrown)) {
    seen.add(thrown);
    return typeof thrown === 'string' ? thrown : ownMessage(thrown);
  }
  const own = attempt(() => ownMessage(thrown)) ?? unreadable;
  const full = attempt(() => fullMessage(thrown, seen, said)) ?? own;
  if (full !== '' && said.includes(full)) return undefined;
  return full === '' ? errorClass(thrown) : `${errorClass(thrown)}: ${full}`;
}

function ownMessage(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (!isErrorLike(thrown)) return `${inspect(thrown, { depth: 2, breakLength: Infinity })} was thrown`;
  const message = String(thrown.message);
  return thrown.name === 'TsqError' && 'code' in thrown ? `${String(thrown.code)}: ${message}` : message;
}

function ownMessageLine(thrown: unknown): string {
  return presentable(attempt(() => ownMessage(thrown)) ?? unreadable);
}

function classOf(thrown: unknown): string {
  if (thrown === null || thrown === undefined) return String(thrown);
  const prototype: unknown = Object.getPrototypeOf(thrown);
  const Class: unknown = Object(thrown).constructor;
  const className = typeof Class === 'function' ? String(Class.name) : '';
  if (!isErrorLike(thrown)) return className;
  const isNamed = Object.hasOwn(thrown, 'name') || Object.hasOwn(Object(prototype), 'name');
  // `class Declined extends Error {}` inherits the name `Error`; its class says more.
  return isNamed || className === '' ? String(thrown.name) : className;
}

/** By shape: an error may come from another realm, where `instanceof` does not know it. */
function isErrorLike(thrown: unknown): thrown is { message: unknown; name: unknown; stack?: unknown } {
  return typeof thrown === 'object' && thrown !== null && attempt(() => 'message' in thrown) === true;
}

function stackLines(error: { stack?: unknown }): readonly string[] {
  const stack = attempt(() => String(error.stack)) ?? '';
  const lines = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return lines.map((line) => wellFormed(line.trim()));
}

function causeOf(error: object): unknown {
  return attempt(() => ('cause' in error ? error.cause : undefined));
}

/** Of an AggregateError: what Promise.any and Node's connects throw, often without a word of its own. */
function errorsOf(error: object): readonly unknown[] {
  const errors = attempt(() => ('errors' in error ? error.errors : undefined));
  return Array.isArray(errors) ? errors.slice(0, maxErrors) : [];
}

function presentable(text: string): string {
  return wellFormed(shortened(text));
}

function shortened(text: string): string {
  if (text.length <= maxMessageLength) return text;
  return [...text.slice(0, maxMessageLength * 2)].slice(0, maxMessageLength).join('');
}

/** A lone surrogate is no UTF-8: Ruby could not parse the whole job. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** undefined when the user's code behind a property throws: the caller has a word for that. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
