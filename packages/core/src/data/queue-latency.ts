/** How long the oldest job of a queue has waited: from when it was enqueued until now, by Redis' clock. */
import { readTimestampMs } from '../dialect.js';
import { TsqError } from '../errors.js';
import { maxNesting } from '../exact-json.js';
import { JsonFields } from '../json-fields.js';
import { scanJsonObject } from '../json-object.js';

/**
 * Seconds; 0 for an empty queue, for a job that does not say when it was enqueued, and for one whose client's clock is ahead.
 * @param oldest the bytes at the tail of the queue
 * @param nowMs milliseconds since the epoch, by Redis' clock
 */
export function latencySeconds(oldest: Buffer | undefined, nowMs: number): number {
  const since = oldest === undefined ? undefined : enqueuedAtMs(oldest);
  return since === undefined ? 0 : Math.max(0, nowMs - since) / 1e3;
}

function enqueuedAtMs(bytes: Buffer): number | undefined {
  try {
    const job = new JsonFields(scanJsonObject(bytes, maxNesting));
    const raw = job.raw('enqueued_at') ?? job.raw('created_at');
    return raw === undefined ? undefined : readTimestampMs(raw);
  } catch (error) {
    if (error instanceof TsqError) return undefined; // bytes that nobody can read do not say when they came
    throw error;
  }
}
