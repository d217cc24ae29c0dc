/**
 * Where the keys and values of one JSON object stand in its bytes, and new bytes with some of them changed.
 *
 * What must stay true: an edit is a splice. Every byte outside the keys it names (order, white space, escapes, numbers,
 * invalid UTF-8) leaves as it came.
 */
import { TsqError } from './errors.js';
import { stringifyJson } from './exact-json.js';
import { CLOSE_OBJECT, COMMA, JsonScanner, OPEN_OBJECT } from './json-scanner.js';

/** One key with its value; `end` is exclusive, quotes belong to the key. */
export interface Member {
  readonly keyStart: number;
  readonly keyEnd: number;
  /** The key's bytes are ASCII without escapes. */
  readonly isPlainKey: boolean;
  readonly start: number;
  readonly end: number;
}

export interface JsonObject {
  readonly bytes: Buffer;
  /** In the order of the text; a key may occur twice, and then its last value counts. */
  readonly members: readonly Member[];
  /** Of the final `}`. */
  readonly close: number;
}

/** @throws TSQ_PAYLOAD_UNREADABLE, TSQ_PAYLOAD_TOO_DEEP */
export function scanJsonObject(bytes: Buffer, maxDepth: number): JsonObject {
  const scanner = new JsonScanner(bytes, maxDepth);
  if (scanner.peek() !== OPEN_OBJECT) scanner.fail('a JSON object');
  scanner.position += 1;
  const members: Member[] = [];
  if (scanner.peek() !== CLOSE_OBJECT) scanMembers(scanner, members);
  const close = scanner.position;
  scanner.position += 1;
  if (scanner.peek() !== -1) scanner.fail('the end');
  return { bytes, members, close };
}

function scanMembers(scanner: JsonScanner, members: Member[]): void {
  for (;;) {
    members.push(scanMember(scanner));
    const byte = scanner.peek();
    if (byte === CLOSE_OBJECT) return;
    if (byte !== COMMA) scanner.fail('"," or "}"');
    scanner.position += 1;
  }
}

function scanMember(scanner: JsonScanner): Member {
  scanner.peek();
  const keyStart = scanner.position;
  const keyEnd = scanner.skipKey();
  const isPlainKey = scanner.wasPlain;
  scanner.peek();
  const start = scanner.position;
  scanner.skipValue(1);
  return { keyStart, keyEnd, isPlainKey, start, end: scanner.position };
}

/** The member that counts for `key`: the last. */
export function memberOf(object: JsonObject, key: string): Member | undefined {
  for (let index = object.members.length - 1; index >= 0; index -= 1) {
    const member = object.members[index];
    if (member !== undefined && hasKey(object.bytes, member, key)) return member;
  }
  return undefined;
}

function hasKey(bytes: Buffer, member: Member, key: string): boolean {
  if (!member.isPlainKey) return keyOf(bytes, member) === key;
  const start = member.keyStart + 1;
  if (member.keyEnd - 1 - start !== key.length) return false;
  for (let index = 0; index < key.length; index += 1) {
    if (bytes[start + index] !== key.charCodeAt(index)) return false;
  }
  return true;
}

function keyOf(bytes: Buffer, member: Member): string {
  return JSON.parse(bytes.toString('utf8', member.keyStart, member.keyEnd));
}

/**
 * The bytes with each edit made: a text replaces the key's last value, where it stands, or is put before the final `}`;
 * undefined takes the key away. Of a key that occurs twice the earlier ones go.
 * @throws TSQ_PAYLOAD_UNREADABLE when a text is not one JSON value
 */
export function spliceJsonObject(
  object: JsonObject,
  edits: Readonly<Record<string, string | undefined>>,
  maxDepth: number,
): Buffer {
  const splice = new Splice(object);
  for (const [key, text] of Object.entries(edits)) {
    splice.put(key, text === undefined ? undefined : encodeJson(key, text, maxDepth));
  }
  return splice.result();
}

function encodeJson(key: string, text: string, maxDepth: number): Buffer {
  const bytes = Buffer.from(text);
  const scanner = new JsonScanner(bytes, maxDepth);
  try {
    scanner.skipValue(1);
    if (scanner.peek() !== -1) scanner.fail('the end');
  } catch (error) {
    if (!(error instanceof TsqError)) throw error;
    throw new TsqError(error.code, `the new JSON text of "${key}": ${error.message}`, { cause: error });
  }
  return bytes;
}

/** What becomes of each member, gathered first, so that commas are counted once all is known. */
class Splice {
  /** By the member's index: its new text, or `undefined` when it goes. Members that are not here stay. */
  private readonly changed = new Map<number, Buffer | undefined>();
  /** Each with its comma, should one be needed. */
  private readonly appended: Buffer[] = [];
  /** More than the result's length can be. */
  private room: number;
  private out = Buffer.alloc(0);
  private written = 0;
  /** All of the object's bytes before it are in `out`, or cut away. */
  private copied = 0;

  constructor(private readonly object: JsonObject) {
    this.room = object.bytes.length;
  }

  put(key: string, text: Buffer | undefined): void {
    let pending = text;
    for (let index = this.object.members.length - 1; index >= 0; index -= 1) {
      const member = this.object.members[index];
      if (member === undefined || !hasKey(this.object.bytes, member, key)) continue;
      this.changed.set(index, pending);
      this.room += pending?.length ?? 0;
      pending = undefined;
    }
    if (pending !== undefined) this.append(Buffer.from(`,${stringifyJson(key)}:`), pending);
  }

  private append(key: Buffer, text: Buffer): void {
    this.appended.push(key, text);
    this.room += key.length + text.length;
  }

  result(): Buffer {
    const { bytes, members, close } = this.object;
    this.out = Buffer.allocUnsafe(this.room);
    let isEmpty = true;
    for (const [index, member] of members.entries()) {
      const text = this.changed.get(index);
      if (text === undefined && this.changed.has(index)) {
        this.cut(index, member, isEmpty);
        continue;
      }
      if (text !== undefined) this.write(member.start, text, member.end);
      isEmpty = false;
    }
    for (const [index, text] of this.appended.entries()) {
      this.write(close, index === 0 && isEmpty ? text.subarray(1) : text, close);
    }
    this.copyTo(bytes.length);
    return this.out.subarray(0, this.written);
  }

  /** With one comma: the one before it, or behind it while nothing that stays stands before it. */
  private cut(index: number, member: Member, isFirst: boolean): void {
    const previous = this.object.members[index - 1];
    const next = this.object.members[index + 1];
    const start = isFirst || previous === undefined ? member.keyStart : this.commaFrom(previous.end);
    const end = isFirst && next !== undefined ? this.commaFrom(member.end) + 1 : member.end;
    this.copyTo(start);
    this.copied = end;
  }

  /** Between two members stand white space and one comma. */
  private commaFrom(position: number): number {
    return this.object.bytes.indexOf(COMMA, position);
  }

  /** Puts `text` where the bytes from `start` to `end` stood. */
  private write(start: number, text: Buffer, end: number): void {
    this.copyTo(start);
    this.written += text.copy(this.out, this.written);
    this.copied = end;
  }

  private copyTo(end: number): void {
    this.written += this.object.bytes.copy(this.out, this.written, this.copied, end);
  }
}
