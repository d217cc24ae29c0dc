/**
 * Jobs that rely on a feature of Sidekiq Pro or Enterprise which tsq does not have. Run here they would do harm that nobody
 * sees: a batch never completes, a handler gets ciphertext, a lock stays until it expires. So by default they are refused.
 *
 * What must stay true: a refusal is no failure. The job keeps its retry count and all its other bytes, waits in `retry` with
 * the reason, where Sidekiq's pages show it, and comes back to its queue for whoever can run it; it is never dropped.
 */
import { type Outcome, type Payload, TsqError } from '@tsq/core';

export type ForeignFeatures = 'refuse' | 'run';

/** What the payload says, and what would go wrong. */
const features: readonly (readonly [key: string, harm: string])[] = [
  ['bid', 'it belongs to a batch of Sidekiq Pro, which would never complete'],
  ['encrypt', 'its last argument is encrypted by Sidekiq Enterprise'],
  ['unique_for', 'it holds a lock of Sidekiq Enterprise, which nobody would release'],
];

/** Until a refused job is back on its queue: a line of nothing else must not keep a processor busy. */
const shortestPauseSeconds = 60;
/** So that those refused together do not come back together. */
const jitterSeconds = 30;

/** Why this job is not run here; undefined for any other. */
export function refusalOf(payload: Payload): TsqError | undefined {
  for (const [key, harm] of features) {
    if (!payload.has(key) || isOff(payload, key)) continue;
    return new TsqError(
      'TSQ_JOB_REFUSED',
      `this job has "${key}": ${harm}. Leave its queue to Ruby, or set foreignFeatures to run`,
    );
  }
  return undefined;
}

/**
 * @param queue that it was taken from
 * @param now JSON text of this moment. Sidekiq's page of an entry of `retry` fails without a `failed_at`; the first real failure
 *   writes it anew
 */
export function refusalOutcome(
  payload: Payload,
  queue: string,
  reason: TsqError,
  now: string,
  random = Math.random,
): Extract<Outcome, { kind: 'retry' }> {
  const bytes = payload.edit({
    queue: JSON.stringify(queue),
    error_message: JSON.stringify(`${reason.code}: ${reason.message}`),
    error_class: JSON.stringify(reason.name),
    ...(payload.has('failed_at') ? undefined : { failed_at: now }),
  });
  return { kind: 'retry', bytes, delaySeconds: shortestPauseSeconds + random() * jitterSeconds };
}

/** Ruby's truth: only false and null are not true. */
function isOff(payload: Payload, key: string): boolean {
  const text = payload.raw(key)?.toString('latin1');
  return text === 'false' || text === 'null';
}
