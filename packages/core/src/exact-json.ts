/**
 * JSON without loss: integers beyond 2^53 are BigInts in both directions; numbers are written as Ruby writes them.
 *
 * What JSON.parse reads exactly, JSON.parse reads: only a text with 16 digits in a row takes the slower way.
 */
import { TsqError } from './errors.js';
import { readExactly } from './exact-json-reader.js';
import type { JsonValue } from './json.js';
import { rubyFloat } from './ruby-float.js';

/** Ruby's parser and generator both refuse more; the outermost array or object is level 1. */
export const maxNesting = 100;

/**
 * Reads as JSON.parse does, except that an integer beyond ±(2^53 - 1) becomes a BigInt, or a string of its digits. Numbers
 * with a fraction or an exponent are doubles, as in Ruby: `1.0` is 1, `1E400` is Infinity (which `stringifyJson` refuses).
 * Bytes that are not UTF-8 are read as U+FFFD. Any depth: no recursion.
 * @throws SyntaxError
 */
export function parseJson(text: Buffer | string, bigIntegers: 'bigint' | 'string' = 'bigint'): JsonValue {
  const source = typeof text === 'string' ? text : text.toString('utf8');
  const value: JsonValue = JSON.parse(source);
  if (!hasLongDigits(source)) return value;
  return readExactly(source, bigIntegers === 'bigint' ? BigInt : String);
}

/** Whether 16 digits stand in a row: fewer are always exact. Such a run covers one of every 16 places, so only those are looked at. */
function hasLongDigits(text: string): boolean {
  for (let at = 15; at < text.length; at += 16) {
    if (isDigit(text.charCodeAt(at)) && digitsAround(text, at) >= 16) return true;
  }
  return false;
}

function digitsAround(text: string, at: number): number {
  let start = at;
  let end = at + 1;
  while (start > 0 && isDigit(text.charCodeAt(start - 1))) start -= 1;
  while (end < text.length && end - start < 16 && isDigit(text.charCodeAt(end))) end += 1;
  return end - start;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/**
 * Writes what Ruby's JSON.generate would: no spaces, everything beyond ASCII raw, keys in the object's own order, BigInts as
 * digits. A number is an integer up to ±(2^53 - 1) and a float from there on, so it reads back as the number it was; -0 is
 * `-0.0`, the one form of it that Ruby keeps. A lone surrogate, which neither UTF-8 nor Ruby can carry, leaves as U+FFFD.
 * `toJSON` is not called.
 * @throws TSQ_ARGS_INVALID for NaN, ±Infinity and whatever is no JsonValue; TSQ_PAYLOAD_TOO_DEEP beyond 100 levels, so for
 * circular values too
 */
export function stringifyJson(value: JsonValue): string {
  if (isPlain(value, 1)) {
    const json = JSON.stringify(value);
    if (!json.includes('\\ud')) return json;
  }
  return write(value, 1);
}

/**
 * Whether JSON.stringify, three times as fast, writes it as `write` does, but for lone surrogates: no BigInt, no number that
 * Ruby writes otherwise, no toJSON, nothing to refuse.
 */
function isPlain(value: unknown, level: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return isPlainNumber(value);
    case 'object':
      if (value === null) return true;
      return (
        level <= maxNesting &&
        (Array.isArray(value) ? isPlainArray(value, level) : isPlainObject(value, level))
      );
    default:
      return false;
  }
}

function isPlainNumber(value: number): boolean {
  if (Number.isInteger(value)) return Number.isSafeInteger(value) && !Object.is(value, -0);
  const magnitude = Math.abs(value);
  return magnitude >= 1e-4 && magnitude < 1e15;
}

function isPlainArray(array: readonly unknown[], level: number): boolean {
  if ('toJSON' in array) return false;
  for (let index = 0; index < array.length; index += 1) {
    if (!isPlain(array[index], level + 1)) return false;
  }
  return true;
}

function isPlainObject(object: object, level: number): boolean {
  if ('toJSON' in object) return false;
  for (const key in object) {
    if (!isPlain((object as Record<string, unknown>)[key], level + 1)) return false;
  }
  return true;
}

function write(value: JsonValue, level: number): string {
  switch (typeof value) {
    case 'string':
      return writeString(value);
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : rubyFloat(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? 'null' : writeContainer(value, level);
    default:
      throw new TsqError('TSQ_ARGS_INVALID', `expected a JSON value, got ${typeof value}`);
  }
}

function writeString(text: string): string {
  const json = JSON.stringify(text);
  // Only lone surrogates are escaped like this, and a doubled backslash before `ud`, to which nothing happens here.
  return json.includes('\\ud') ? JSON.stringify(text.toWellFormed()) : json;
}

function writeContainer(value: object, level: number): string {
  if (level > maxNesting) {
    const message = `expected at most ${maxNesting} levels of arrays and objects, got more, or a circular value`;
    throw new TsqError('TSQ_PAYLOAD_TOO_DEEP', message);
  }
  return Array.isArray(value) ? writeArray(value, level) : writeObject(value, level);
}

function writeArray(array: readonly JsonValue[], level: number): string {
  let json = '[';
  for (let index = 0; index < array.length; index += 1) {
    if (index > 0) json += ',';
    // A hole reads as undefined, which `write` refuses.
    json += write(array[index] as JsonValue, level + 1);
  }
  return `${json}]`;
}

function writeObject(object: object, level: number): string {
  let json = '{';
  for (const [key, value] of Object.entries(object)) {
    json += `${json.length === 1 ? '' : ','}${writeString(key)}:${write(value, level + 1)}`;
  }
  return `${json}}`;
}
