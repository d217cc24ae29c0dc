/**
 * Builds the value of a JSON text with each integer exact. Only for texts that JSON.parse has accepted: commas, colons
 * and brackets are trusted, which is what keeps this short. A loop with a stack of its own, so depth costs memory only.
 */
import type { JsonValue } from './json.js';

type Container = JsonValue[] | Record<string, JsonValue>;

export function readExactly(validText: string, bigInteger: (digits: string) => JsonValue): JsonValue {
  return new ExactReader(validText, bigInteger).read();
}

class ExactReader {
  private at = 0;
  private root: JsonValue = null;
  private current: Container | undefined;
  /** The key in `current`, an object, whose value comes next. */
  private key: string | undefined;
  private readonly outer: Container[] = [];

  constructor(
    private readonly text: string,
    private readonly bigInteger: (digits: string) => JsonValue,
  ) {}

  read(): JsonValue {
    while (this.at < this.text.length) this.step();
    return this.root;
  }

  private step(): void {
    switch (this.text[this.at]) {
      case ' ':
      case '\t':
      case '\n':
      case '\r':
      case ',':
      case ':':
        this.at += 1;
        return;
      case '{':
        this.open({});
        return;
      case '[':
        this.open([]);
        return;
      case '}':
      case ']':
        this.at += 1;
        this.current = this.outer.pop();
        return;
      case '"':
        this.takeString(this.string());
        return;
      default:
        this.put(this.scalar());
    }
  }

  private open(container: Container): void {
    this.at += 1;
    this.put(container);
    if (this.current !== undefined) this.outer.push(this.current);
    this.current = container;
  }

  private takeString(string: string): void {
    const isKey = this.current !== undefined && !Array.isArray(this.current) && this.key === undefined;
    if (isKey) this.key = string;
    else this.put(string);
  }

  private put(value: JsonValue): void {
    if (this.current === undefined) {
      this.root = value;
    } else if (Array.isArray(this.current)) {
      this.current.push(value);
    } else if (this.key !== undefined) {
      setOwn(this.current, this.key, value);
      this.key = undefined;
    }
  }

  private string(): string {
    const start = this.at;
    let end = this.text.indexOf('"', start + 1);
    while (this.isEscaped(end)) end = this.text.indexOf('"', end + 1);
    this.at = end + 1;
    const quoted = this.text.slice(start, this.at);
    return quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
  }

  private isEscaped(index: number): boolean {
    let first = index;
    while (this.text[first - 1] === '\\') first -= 1;
    return (index - first) % 2 === 1;
  }

  private scalar(): JsonValue {
    const start = this.at;
    while (this.at < this.text.length && !isBehindScalar(this.text.charCodeAt(this.at))) this.at += 1;
    const token = this.text.slice(start, this.at);
    if (token === 'true') return true;
    if (token === 'false') return false;
    if (token === 'null') return null;
    const number = Number(token);
    return Number.isSafeInteger(number) || /[.eE]/.test(token) ? number : this.bigInteger(token);
  }
}

/** A comma, a closing bracket or white space. */
function isBehindScalar(code: number): boolean {
  return code === 0x2c || code === 0x5d || code === 0x7d || code <= 0x20;
}

/** As JSON.parse does it: `__proto__` becomes a property like any other, and the prototype stays. */
function setOwn(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key !== '__proto__') {
    object[key] = value;
    return;
  }
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
