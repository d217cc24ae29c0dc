/**
 * Points in time and durations of a payload, for decisions that can't be taken back. Producers of all kinds wrote them: what
 * is read wrongly here ends a job that should have lived.
 */
import { type Payload, readTimestampMs } from '@tsq/core';

/** Whole seconds, as some clients write them, read as milliseconds: a day in January 1970. No job is from before March 1973. */
const earliestMs = 1e11;

/** Milliseconds since the epoch, in whichever dialect it was written; undefined when there is none that can be read. */
export function timeMs(payload: Payload, key: string): number | undefined {
  const raw = payload.raw(key);
  const read = raw === undefined ? undefined : readTimestampMs(raw);
  return read !== undefined && Math.abs(read) < earliestMs ? read * 1_000 : read;
}

/** undefined when it is no number, or below 0. */
export function durationSeconds(payload: Payload, key: string): number | undefined {
  const value = payload.has(key) ? payload.value(key) : undefined;
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
