/**
 * Cancelling a job by its jid, from any program that reaches Redis. It is noted there, and each tsq-worker heeds the note: of a
 * running job the AbortSignal fires (TSQ_JOB_CANCELLED), a waiting one is dropped when it comes up. What must stay true: the
 * note is taken away only once Redis has the job's end, so that a killed process' job does not come back uncancelled.
 */
import type { Redis } from 'ioredis';
import { iterationTtlSeconds } from './cancel-iteration.js';
import { unavailable } from './connection.js';
import { repliesOf } from './data/replies.js';
import { TsqError } from './errors.js';
import { keys } from './keys.js';
import { LuaScript } from './lua-script.js';

/** How long a cancellation holds of which no process has made use: as long as that of an iterable job. */
const ttlSeconds = iterationTtlSeconds;

const script = new LuaScript(new URL('./cancel.lua', import.meta.url));

/** ZSET, jid by the second until which it holds. @param namespace of the tracker's keys: the setting `namespace` */
export function cancelledKey(namespace = 'tsq'): string {
  return `${namespace}:cancelled`;
}

/**
 * Cancels a running job, or one that waits in a queue, in `retry` or in `schedule`. A tsq-worker that runs it fires its
 * AbortSignal within two seconds. Ruby heeds it for iterable jobs only (Sidekiq 7.3 and later), at their next look. It holds
 * for 30 days, also of a jid that is nowhere yet.
 * @throws TSQ_JOB_INVALID an empty jid; TSQ_REDIS_UNAVAILABLE: it may be cancelled or not
 */
export async function cancelJob(redis: Redis, jid: string, namespace?: string): Promise<void> {
  if (jid === '') throw new TsqError('TSQ_JOB_INVALID', 'cancel: expected a jid, got the empty string');
  try {
    await script.run(redis, [cancelledKey(namespace), keys.iteration(jid)], [jid, ttlSeconds]);
  } catch (error) {
    throw unavailable(`job ${jid} could not be cancelled`, error);
  }
}

/** Those of `jids` that were cancelled, by Redis' clock. @throws what the connection throws */
export async function cancelledOf(
  redis: Redis,
  jids: readonly string[],
  namespace?: string,
): Promise<ReadonlySet<string>> {
  if (jids.length === 0) return new Set();
  const [time, scores] = await repliesOf(
    redis
      .pipeline()
      .time()
      .call('ZMSCORE', cancelledKey(namespace), ...jids),
  );
  const nowSeconds = Number((time as readonly unknown[])[0]); // the shapes that Redis gives
  const holds = (scores as readonly (string | null)[]).map((score) => Number(score ?? 0) > nowSeconds);
  return new Set(jids.filter((_jid, index) => holds[index]));
}

/** Its end is written: the note is not needed any more. @throws what the connection throws */
export async function forgetCancellation(redis: Redis, jid: string, namespace?: string): Promise<void> {
  await repliesOf(redis.multi().zrem(cancelledKey(namespace), jid).unlink(keys.iteration(jid)));
}
