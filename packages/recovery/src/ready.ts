/** `whenReady` of core, for a loop that must end when it is told to: before its connection is closed. */
import { unavailable, whenReady } from '@tsq/core';
import type { Redis } from 'ioredis';

/** @throws TSQ_REDIS_UNAVAILABLE when `signal` aborts, or the connection was closed for good */
export async function whenReadyUnless(signal: AbortSignal, redis: Redis): Promise<void> {
  if (redis.status === 'ready') return;
  let giveUp: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(unavailable('nobody waits for it any more'));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    await Promise.race([whenReady(redis), aborted]);
  } finally {
    if (giveUp !== undefined) signal.removeEventListener('abort', giveUp);
  }
}
