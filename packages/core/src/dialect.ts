/**
 * How a fleet writes timestamps: Sidekiq up to 7 float seconds, 8 integer milliseconds. Readers tell them apart per value,
 * by the number's form. `seconds` is what every version from 6.0 to 8.1 reads.
 */
export type Dialect = 'seconds' | 'milliseconds';

/** JSON text of a point in time; in seconds always with a fraction, or a reader of 8.x takes it for milliseconds. */
export function timestampJson(_dialect: Dialect, _epochMs: number): string {
  throw new Error('stub');
}

/** Milliseconds since the epoch, from a timestamp's JSON text in either dialect; undefined when it is none. */
export function readTimestampMs(_raw: Buffer | string): number | undefined {
  throw new Error('stub');
}
