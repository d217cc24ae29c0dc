/**
 * What a job threw, as a retry entry shows it. JavaScript lets anything be thrown, and an error's getters run its user's
 * code; whatever comes, a failure that can't be described must not cost the job its retry.
 */

import { inspect } from 'node:util';
import { deflateSync } from 'node:zlib';

/** In code points, as Sidekiq counts. */
const maxMessageLength = 10_000;
const maxCauses = 10;
const unreadable = '(the message of the error could not be read)';

/** With its code in front for an error of tsq: all of those are of one class. */
export function errorMessage(thrown: unknown): string {
  const message = attempt(() => messageOf(thrown)) ?? unreadable;
  return wellFormed(shortened(message));
}

/** The name that the error was given, or else its class'; for what is no error, its type. */
export function errorClass(thrown: unknown): string {
  const name = attempt(() => classOf(thrown));
  return name === undefined || name === '' ? 'Error' : wellFormed(name);
}

/** The stack's lines without the message, then those of each `cause`. Empty for what is no error. */
export function backtraceOf(thrown: unknown): readonly string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>();
  for (let error = thrown; isErrorLike(error) && seen.size < maxCauses && !seen.has(error); ) {
    if (seen.size > 0) lines.push(`Caused by: ${errorClass(error)}: ${errorMessage(error)}`);
    seen.add(error);
    lines.push(...stackLines(error));
    error = causeOf(error);
  }
  return lines;
}

/** As Sidekiq stores it: a JSON array of strings, deflated, base64 without line breaks. */
export function packBacktrace(lines: readonly string[]): string {
  return deflateSync(JSON.stringify(lines)).toString('base64');
}

function messageOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (!isErrorLike(thrown)) return `${inspect(thrown, { depth: 2, breakLength: Infinity })} was thrown`;
  const message = String(thrown.message);
  if (thrown.name === 'TsqError' && 'code' in thrown) return `${String(thrown.code)}: ${message}`;
  // What Promise.any and Node's connects throw: often without a message of its own. One level: it may hold itself.
  if (message === '' && 'errors' in thrown && Array.isArray(thrown.errors)) {
    const errors: readonly unknown[] = thrown.errors.slice(0, maxCauses);
    return errors.map((error) => String(isErrorLike(error) ? error.message : error)).join('; ');
  }
  return message;
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
