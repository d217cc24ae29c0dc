/**
 * Cancels a long job that works in iterations (`it-JID`), whichever process and language runs it, or will: it looks for the
 * mark when it starts and each time that it stores its cursor.
 *
 * What must stay true: the mark never stands alone. Ruby's job that finds a hash without `c` fails on it, at each of its
 * retries, instead of ending; so the state of a job that has not begun is written with the mark, and an existing one is
 * left as it is.
 */
import type { Redis } from 'ioredis';
import { repliesOf } from './data/replies.js';
import { TsqError } from './errors.js';
import { keys } from './keys.js';

/** How long the state of an iteration is kept after it was last written, in seconds: 30 days, as Sidekiq. */
export const iterationTtlSeconds = 2_592_000;

/**
 * One transaction, so no job finds half of it. It does not matter whether the job runs, waits or is unknown: the mark waits
 * for it, for 30 days.
 * @returns when it was cancelled first, in seconds since the epoch
 * @throws TSQ_JOB_INVALID for a jid that is empty; what the connection throws
 */
export async function cancelIteration(redis: Redis, jid: string): Promise<number> {
  if (typeof jid !== 'string' || jid === '') {
    throw new TsqError('TSQ_JOB_INVALID', 'cancelIteration: expected the jid of a job, got none');
  }
  const key = keys.iteration(jid);
  const replies = await repliesOf(
    redis
      .multi()
      .hsetnx(key, 'ex', 0)
      .hsetnx(key, 'c', 'null')
      .hsetnx(key, 'rt', 0)
      .hsetnx(key, 'cancelled', Math.floor(Date.now() / 1_000))
      .expire(key, iterationTtlSeconds)
      .hget(key, 'cancelled'),
  );
  return Number(replies.at(-1));
}
