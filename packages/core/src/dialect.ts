/**
 * How a fleet writes timestamps: Sidekiq up to 7 float seconds, 8 integer milliseconds. Readers tell them apart per value,
 * by the number's form. `seconds` is what every version from 6.0 to 8.1 reads.
 */
import { rubyFloat } from './ruby-float.js';

export type Dialect = 'seconds' | 'milliseconds';

/** Further from the epoch no Date reaches. */
const farthestMs = 8.64e15;

const numeral = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * JSON text of a point in time; in seconds always with a fraction, or a reader of 8.x takes it for milliseconds. Seconds keep
 * microseconds; parts of a millisecond are cut off in milliseconds, as in Ruby.
 * @throws TSQ_ARGS_INVALID for NaN and ±Infinity
 */
export function timestampJson(dialect: Dialect, epochMs: number): string {
  // By way of microseconds: 1795466562496.9 / 1000 alone is 1795466562.4968998.
  const seconds = rubyFloat(Math.round(epochMs * 1e3) / 1e6);
  return dialect === 'seconds' ? seconds : String(Math.floor(epochMs));
}

/**
 * Milliseconds since the epoch, from a timestamp's JSON text in either dialect; undefined when it is none. A string that
 * holds a number is read by that number's form; dates as text, and points that no Date can hold, are none. Exact to a
 * microsecond. Never throws.
 */
export function readTimestampMs(raw: Buffer | string): number | undefined {
  const json = raw.toString().trim();
  const text = json.length > 1 && json.startsWith('"') && json.endsWith('"') ? json.slice(1, -1) : json;
  const form = numeral.exec(text);
  if (form === null) return undefined;
  const hasFraction = form[1] !== undefined || form[2] !== undefined;
  // By way of microseconds: 1795466562.001 * 1000 alone is not the millisecond it was written from.
  const epochMs = hasFraction ? Math.round(Number(text) * 1e6) / 1e3 : Number(text);
  return Math.abs(epochMs) <= farthestMs ? epochMs : undefined;
}
