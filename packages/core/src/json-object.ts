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
    if (text !== undefined) requireJson(key, text, maxDepth);
    splice.put(key, text);
  }
  return splice.result();
}

function requireJson(key: string, text: string, maxDepth: number): void {
  const scanner = new JsonScanner(Buffer.from(text), maxDepth);
  try {
    scanner.skipValue(1);
    if (scanner.peek() !== -1) scanner.fail('the end');
  } catch (error) {
    if (!(error instanceof TsqError)) throw error;
    throw new TsqError(error.code, `the new JSON text of "${key}": ${error.message}`, { cause: error });
  }
}

/** What becomes of each member, gathered first, so that commas are counted once all is known. */
class Splice {
  /** By the member's index: its new text, or `undefined` when it goes. Members that are not here stay. */
  private readonly changed = new Map<number, string | undefined>();
  private readonly appended: string[] = [];
  private readonly pieces: Buffer[] = [];
  /** All before it is in `pieces`, or cut away. */
  private copied = 0;

  constructor(private readonly object: JsonObject) {}

  put(key: string, text: string | undefined): void {
    let pending = text;
    for (let index = this.object.members.length - 1; index >= 0; index -= 1) {
      const member = this.object.members[index];
      if (member === undefined || !hasKey(this.object.bytes, member, key)) continue;
      this.changed.set(index, pending);
      pending = undefined;
    }
    if (pending !== undefined) this.appended.push(`${stringifyJson(key)}:${pending}`);
  }

  result(): Buffer {
    const { bytes, members, close } = this.object;
    let isEmpty = true;
    for (const [index, member] of members.entries()) {
      const stays = !this.changed.has(index) || this.changed.get(index) !== undefined;
      if (!stays) this.cut(index, isEmpty);
      else this.replace(member, this.changed.get(index));
      if (stays) isEmpty = false;
    }
    for (const text of this.appended) {
      this.write(close, `${isEmpty ? '' : ','}${text}`, close);
      isEmpty = false;
    }
    this.pieces.push(bytes.subarray(this.copied));
    return Buffer.concat(this.pieces);
  }

  private replace(member: Member, text: string | undefined): void {
    if (text !== undefined) this.write(member.start, text, member.end);
  }

  /** With one comma: the one before it, or behind it while nothing that stays stands before it. */
  private cut(index: number, isFirst: boolean): void {
    const member = this.object.members[index];
    if (member === undefined) return;
    const previous = this.object.members[index - 1];
    const next = this.object.members[index + 1];
    if (!isFirst && previous !== undefined) {
      this.write(this.commaFrom(previous.end), '', member.end);
    } else {
      this.write(member.keyStart, '', next === undefined ? member.end : this.commaFrom(member.end) + 1);
    }
  }

  /** Between two members stand white space and one comma. */
  private commaFrom(position: number): number {
    return this.object.bytes.indexOf(COMMA, position);
  }

  /** Puts `text` where the bytes from `start` to `end` stood. */
  private write(start: number, text: string, end: number): void {
    this.pieces.push(this.object.bytes.subarray(this.copied, start));
    if (text !== '') this.pieces.push(Buffer.from(text));
    this.copied = end;
  }
}
