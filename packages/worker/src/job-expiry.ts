/**
 * `expires_in`: from when on a job is not to begin any more. What must stay true: a job is never dropped too early. Counted is
 * from when it was due, and that moment stands in the payload only where a producer wrote `expiry` (tsq's client does, and so,
 * by public accounts, does Pro's). Without one the count starts with the latest moment that the payload knows of: a little late, for a retry at most
 * by what the first run waited and took.
 */
import type { Payload } from '@tsq/core';
import { durationSeconds, timeMs } from './payload-times.js';

/**
 * Milliseconds since the epoch; undefined: never.
 * @param workerSeconds `expiresIn` of its worker, for a payload that says nothing itself
 */
export function expiresAtMs(payload: Payload, workerSeconds: number | undefined): number | undefined {
  const seconds = payload.has('expires_in') ? durationSeconds(payload, 'expires_in') : workerSeconds;
  if (seconds === undefined) return undefined;
  const expiry = timeMs(payload, 'expiry');
  if (expiry !== undefined) return expiry;
  const dueAtMs =
    timeMs(payload, 'failed_at') ?? timeMs(payload, 'enqueued_at') ?? timeMs(payload, 'created_at');
  return dueAtMs === undefined ? undefined : dueAtMs + seconds * 1_000;
}
