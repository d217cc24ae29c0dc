/** JSON without loss: integers beyond 2^53 are BigInts in both directions; numbers are written as Ruby writes them. */
import type { JsonValue } from './json.js';

/** @throws SyntaxError */
export function parseJson(_text: Buffer | string, _bigIntegers?: 'bigint' | 'string'): JsonValue {
  throw new Error('stub');
}

export function stringifyJson(_value: JsonValue): string {
  throw new Error('stub');
}
