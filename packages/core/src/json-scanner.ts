/**
 * Steps over JSON values in bytes without building them, and refuses what is not JSON (RFC 8259, as JSON.parse).
 *
 * Two things pass that a decoder would change, because only bytes that are never decoded stay as they are: invalid UTF-8
 * inside strings, and escapes of lone surrogates. One loop with a stack of its own: depth never becomes call depth.
 */
import { TsqError } from './errors.js';

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const OPEN_ARRAY = 0x5b;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
const COLON = 0x3a;
const CLOSE_ARRAY = 0x5d;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const LOWER_U = 0x75;
/** What stands behind the last byte. */
const END = -1;

/** The bytes that may stand behind a backslash, `u` aside. */
const SIMPLE_ESCAPES = new Set(Buffer.from('"\\/bfnrt'));

/** 1 for the bytes that are a character of a string and nothing more: ASCII but for control characters, `"` and `\`. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

export class JsonScanner {
  /** Of the byte that comes next. */
  position = 0;
  /** Of the string that was stepped over last: ASCII without escapes, so its bytes are its characters. */
  wasPlain = true;
  /** The closing brackets that are still to come, outermost first. */
  private readonly closers: number[] = [];

  constructor(
    readonly bytes: Uint8Array,
    private readonly maxDepth: number,
  ) {}

  /** The next byte that is not white space, which stays next; -1 at the end. */
  peek(): number {
    const bytes = this.bytes;
    const end = bytes.length;
    // Bounds are tested before each read, here and below: one read behind the end makes V8 read slowly ever after.
    for (let at = this.position; at < end; at += 1) {
      const byte = bytes[at] ?? END;
      if (byte > 0x20 || !isSpace(byte)) {
        this.position = at;
        return byte;
      }
    }
    this.position = end;
    return END;
  }

  /** Steps over one value. `outerLevels`: the arrays and objects that it stands in. */
  skipValue(outerLevels: number): void {
    do {
      if (this.skipScalarOrOpen(outerLevels)) this.closeAll();
    } while (this.closers.length > 0);
  }

  /** Whether a whole value has ended; else an array or object has begun, and the value after is its first. */
  private skipScalarOrOpen(outerLevels: number): boolean {
    const byte = this.peek();
    switch (byte) {
      case QUOTE:
        this.skipString();
        return true;
      case OPEN_OBJECT:
        return !this.open(CLOSE_OBJECT, outerLevels);
      case OPEN_ARRAY:
        return !this.open(CLOSE_ARRAY, outerLevels);
      case 0x74:
        return this.skipWord('true');
      case 0x66:
        return this.skipWord('false');
      case 0x6e:
        return this.skipWord('null');
      default:
        this.skipNumber(byte);
        return true;
    }
  }

  /** False when it is empty, and closed again. */
  private open(closer: number, outerLevels: number): boolean {
    if (outerLevels + this.closers.length >= this.maxDepth) this.failTooDeep();
    this.position += 1;
    if (this.peek() === closer) {
      this.position += 1;
      return false;
    }
    this.closers.push(closer);
    if (closer === CLOSE_OBJECT) this.skipKey();
    return true;
  }

  /** Behind a value: closes what ends here, and steps over the comma to the next value if one comes. */
  private closeAll(): void {
    while (this.closers.length > 0) {
      const closer = this.closers[this.closers.length - 1];
      const byte = this.peek();
      if (byte !== closer && byte !== COMMA) this.fail(`"," or "${closer === CLOSE_OBJECT ? '}' : ']'}"`);
      this.position += 1;
      if (byte === COMMA) {
        if (closer === CLOSE_OBJECT) this.skipKey();
        return;
      }
      this.closers.pop();
    }
  }

  /** Steps over a key and its colon. Returns the position behind the key's closing quote. */
  skipKey(): number {
    if (this.peek() !== QUOTE) this.fail('a key in quotes');
    this.skipString();
    const keyEnd = this.position;
    if (this.peek() !== COLON) this.fail('":"');
    this.position += 1;
    return keyEnd;
  }

  /** Steps over the string whose opening quote is next. */
  skipString(): void {
    const bytes = this.bytes;
    const end = bytes.length;
    let at = this.position + 1;
    let plain = true;
    for (;;) {
      while (at < end && PLAIN[bytes[at] ?? 0] === 1) at += 1;
      const byte = this.byteAt(at);
      if (byte === QUOTE) break;
      plain = false;
      if (byte < 0x20) this.failAt(at, 'the rest of a string');
      at = byte === BACKSLASH ? this.behindEscape(at + 1) : at + 1;
    }
    this.wasPlain = plain;
    this.position = at + 1;
  }

  /** `at` is just behind a backslash. */
  private behindEscape(at: number): number {
    const byte = this.byteAt(at);
    if (SIMPLE_ESCAPES.has(byte)) return at + 1;
    if (byte !== LOWER_U) this.failAt(at, 'an escape that JSON has');
    for (let digit = at + 1; digit <= at + 4; digit += 1) {
      if (!isHex(this.byteAt(digit))) this.failAt(digit, 'a hexadecimal digit');
    }
    return at + 5;
  }

  private skipWord(word: string): true {
    for (let index = 0; index < word.length; index += 1) {
      const at = this.position + index;
      if (this.bytes[at] !== word.charCodeAt(index)) this.failAt(at, `"${word}"`);
    }
    this.position += word.length;
    return true;
  }

  private skipNumber(first: number): void {
    if (first !== MINUS && !isDigit(first)) this.fail('a JSON value');
    let at = first === MINUS ? this.position + 1 : this.position;
    at = this.byteAt(at) === ZERO ? at + 1 : this.behindDigits(at);
    let byte = this.byteAt(at);
    if (byte === POINT) {
      at = this.behindDigits(at + 1);
      byte = this.byteAt(at);
    }
    if (byte === 0x65 || byte === 0x45) {
      const sign = this.byteAt(at + 1);
      at = this.behindDigits(sign === PLUS || sign === MINUS ? at + 2 : at + 1);
    }
    this.position = at;
  }

  private behindDigits(start: number): number {
    let at = start;
    while (isDigit(this.byteAt(at))) at += 1;
    if (at === start) this.failAt(at, 'a digit');
    return at;
  }

  private byteAt(at: number): number {
    return at < this.bytes.length ? (this.bytes[at] ?? END) : END;
  }

  /** @throws TSQ_PAYLOAD_UNREADABLE, about the byte that comes next */
  fail(expected: string): never {
    return this.failAt(this.position, expected);
  }

  private failAt(at: number, expected: string): never {
    const byte = this.bytes[at];
    throw new TsqError(
      'TSQ_PAYLOAD_UNREADABLE',
      `expected ${expected} at byte ${at}, got ${byte === undefined ? 'the end' : show(byte)}`,
    );
  }

  private failTooDeep(): never {
    throw new TsqError(
      'TSQ_PAYLOAD_TOO_DEEP',
      `expected at most ${this.maxDepth} levels of arrays and objects, got one more at byte ${this.position}`,
    );
  }
}

/** One byte, and no more: what stands around it may be secret. */
function show(byte: number): string {
  return byte > 0x20 && byte < 0x7f
    ? `"${String.fromCharCode(byte)}"`
    : `0x${byte.toString(16).padStart(2, '0')}`;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

function isHex(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x61 && byte <= 0x66) || (byte >= 0x41 && byte <= 0x46);
}
