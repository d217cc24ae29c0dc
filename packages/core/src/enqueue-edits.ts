/**
 * What changes in a payload when it goes from a sorted set to a queue, whoever moves it: `enqueued_at` anew, `at` away, and
 * what Ruby would fill in when it is absent (`queue`, `retry`, `created_at`). Error fields stay.
 */
import { type Dialect, timestampJson } from './dialect.js';
import type { Payload, PayloadEdits } from './payload.js';

/** @param nowMs milliseconds since the epoch, by Redis' clock */
export function enqueueEdits(payload: Payload, nowMs: number, dialect: Dialect): PayloadEdits {
  const now = timestampJson(dialect, nowMs);
  const queue = queueOf(payload);
  return {
    ...(queue === payload.string('queue') ? {} : { queue: JSON.stringify(queue) }),
    ...(payload.has('retry') ? {} : { retry: 'true' }),
    ...(payload.has('created_at') ? {} : { created_at: now }),
    enqueued_at: now,
    // A stored `at` would send the job back to `schedule` in Ruby's hands.
    at: undefined,
  };
}

/** The queue that a payload names; `default` when it names none. */
export function queueOf(payload: Payload): string {
  return payload.string('queue') || 'default';
}
