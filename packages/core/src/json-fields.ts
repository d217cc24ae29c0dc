/**
 * Typed reads of one JSON object's keys. Values are decoded when they are asked for, and what stands there in another type than
 * the one that is asked for reads as absent.
 */
import { parseJson } from './exact-json.js';
import type { JsonValue } from './json.js';
import { type JsonObject, type Member, memberOf } from './json-object.js';
import { QUOTE } from './json-scanner.js';

export class JsonFields {
  constructor(protected readonly object: JsonObject) {}

  /** As Redis gave them. Not to be written to. */
  get bytes(): Buffer {
    return this.object.bytes;
  }

  has(key: string): boolean {
    return memberOf(this.object, key) !== undefined;
  }

  /** The value when it is a string. Bytes that are not UTF-8 read as U+FFFD. */
  string(key: string): string | undefined {
    const member = memberOf(this.object, key);
    if (member === undefined || this.bytes[member.start] !== QUOTE) return undefined;
    return decodeString(this.bytes, member);
  }

  /** The value when it is an integer that a number holds exactly: `1.0` is none, as in Ruby. */
  integer(key: string): number | undefined {
    const text = this.raw(key)?.toString('latin1');
    if (text === undefined || !/^-?\d+$/.test(text)) return undefined;
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : undefined;
  }

  /** The value, exact; undefined when the key is absent. */
  value(key: string): JsonValue | undefined {
    const raw = this.raw(key);
    return raw === undefined ? undefined : parseJson(raw);
  }

  /** The JSON text of the value as it stands there: a view of `bytes`, not a copy. */
  raw(key: string): Buffer | undefined {
    const member = memberOf(this.object, key);
    return member === undefined ? undefined : this.bytes.subarray(member.start, member.end);
  }
}

/** Of a string's bytes with their quotes. */
export function decodeString(bytes: Buffer, { start, end }: Member): string {
  const quoted = bytes.toString('utf8', start, end);
  return quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
}
