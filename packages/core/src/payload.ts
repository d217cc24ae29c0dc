/**
 * One job's JSON as the bytes that Redis gave, with typed reads and splices.
 *
 * The top level is walked once, and with it every byte is checked; values are decoded when they are asked for. Nothing
 * here encodes what it has decoded, so what a Ruby process wrote leaves as Ruby wrote it.
 */
import { constants } from 'node:buffer';
import { TsqError } from './errors.js';
import { maxNesting, parseJson } from './exact-json.js';
import type { JsonValue } from './json.js';
import { decodeString, JsonFields } from './json-fields.js';
import { type JsonObject, type Member, memberOf, scanJsonObject, spliceJsonObject } from './json-object.js';
import { OPEN_ARRAY, QUOTE } from './json-scanner.js';

/** Key -> JSON text to put there; undefined takes the key away. */
export type PayloadEdits = Readonly<Record<string, string | undefined>>;

export interface PayloadLimits {
  /** Levels of arrays and objects, the payload itself being the first. 100, as in Ruby: a deeper job runs nowhere in a mixed fleet. */
  readonly maxDepth: number;
  /** 536,870,888: what one string of JS can hold, 24 bytes less than what Redis can. */
  readonly maxBytes: number;
}

const defaultLimits: PayloadLimits = { maxDepth: maxNesting, maxBytes: constants.MAX_STRING_LENGTH };

export class Payload extends JsonFields {
  private readArgs: { readonly bigIntegers: string; readonly args: readonly JsonValue[] } | undefined;

  private constructor(
    object: JsonObject,
    private readonly classMember: Member,
    private readonly argsMember: Member,
    private readonly maxDepth: number,
  ) {
    super(object);
  }

  /** @throws TSQ_PAYLOAD_UNREADABLE, TSQ_PAYLOAD_TOO_DEEP, TSQ_PAYLOAD_TOO_LARGE */
  static parse(bytes: Buffer, limits?: Partial<PayloadLimits>): Payload {
    const maxBytes = limits?.maxBytes ?? defaultLimits.maxBytes;
    const maxDepth = limits?.maxDepth ?? defaultLimits.maxDepth;
    if (bytes.length > maxBytes) {
      const message = `payload: expected at most ${maxBytes} bytes, got ${bytes.length}`;
      throw new TsqError('TSQ_PAYLOAD_TOO_LARGE', message);
    }
    const object = scanJsonObject(bytes, maxDepth);
    const classMember = requireMember(object, 'class', 'a string', QUOTE);
    const argsMember = requireMember(object, 'args', 'an array', OPEN_ARRAY);
    return new Payload(object, classMember, argsMember, maxDepth);
  }

  /** `class`: a string, or parse had thrown. */
  get class(): string {
    return decodeString(this.bytes, this.classMember);
  }

  /** undefined when there is none, or it is not a string. */
  get jid(): string | undefined {
    return this.string('jid');
  }

  /**
   * The arguments, exact: an integer beyond ±(2^53 - 1) is a BigInt, or a string of its digits. Decoded at the first call;
   * later ones return the same array. `1E400` arrives as Infinity, as in Ruby.
   * @throws TSQ_PAYLOAD_UNREADABLE when an integer has more digits than a BigInt can hold
   */
  args(bigIntegers: 'bigint' | 'string' = 'bigint'): readonly JsonValue[] {
    if (this.readArgs?.bigIntegers !== bigIntegers) {
      this.readArgs = { bigIntegers, args: this.decodeArgs(bigIntegers) };
    }
    return this.readArgs.args;
  }

  private decodeArgs(bigIntegers: 'bigint' | 'string'): readonly JsonValue[] {
    const text = this.bytes.toString('utf8', this.argsMember.start, this.argsMember.end);
    let args: JsonValue;
    try {
      args = parseJson(text, bigIntegers);
    } catch (error) {
      throw new TsqError('TSQ_PAYLOAD_UNREADABLE', `args: ${String(error)}`, { cause: error });
    }
    if (!Array.isArray(args)) throw new TsqError('TSQ_PAYLOAD_UNREADABLE', 'args: expected an array');
    return args;
  }

  /**
   * The bytes with these top-level keys set or removed, and all other bytes as they were. A key keeps its place (of one that
   * occurs twice only the last is kept); a new key is put last, in the order of `edits`.
   * @throws TSQ_PAYLOAD_UNREADABLE when a text is not one JSON value, or the result would lack its class or args
   */
  edit(edits: PayloadEdits): Buffer {
    requireText(edits, 'class', 'a string', '"');
    requireText(edits, 'args', 'an array', '[');
    return spliceJsonObject(this.object, edits, this.maxDepth);
  }
}

function requireMember(object: JsonObject, key: string, expected: string, firstByte: number): Member {
  const member = memberOf(object, key);
  if (member !== undefined && object.bytes[member.start] === firstByte) return member;
  const got = member === undefined ? 'no such key' : kindAt(object.bytes, member.start);
  throw new TsqError('TSQ_PAYLOAD_UNREADABLE', `payload: expected "${key}" to be ${expected}, got ${got}`);
}

const kinds: Readonly<Record<string, string>> = {
  '"': 'a string',
  '[': 'an array',
  '{': 'an object',
  t: 'true',
  f: 'false',
  n: 'null',
};

function kindAt(bytes: Buffer, start: number): string {
  return kinds[String.fromCharCode(bytes[start] ?? 0)] ?? 'a number';
}

function requireText(edits: PayloadEdits, key: string, expected: string, first: string): void {
  if (!Object.hasOwn(edits, key) || edits[key]?.trimStart().startsWith(first)) return;
  throw new TsqError('TSQ_PAYLOAD_UNREADABLE', `payload: an edit must leave "${key}" ${expected}`);
}
