/** Refuses arguments that JSON or Ruby can't carry exactly, with the path of the first one. */
import type { JsonValue } from './json.js';

/** @throws TSQ_ARGS_INVALID: `args[1].due: expected ..., got ...` */
export function checkArgs(_args: unknown): asserts _args is readonly JsonValue[] {
  throw new Error('stub');
}
