/** The clock that decides. A host's own may be wrong, and two hosts' differ. */
import type { Redis } from 'ioredis';

/** Milliseconds since the epoch, with microseconds behind the point. */
export async function redisTimeMs(redis: Redis): Promise<number> {
  return timeReplyMs(await redis.time());
}

/** Of the reply to TIME: seconds and microseconds. */
export function timeReplyMs(reply: unknown): number {
  const [seconds, microseconds] = Array.isArray(reply) ? reply.map(Number) : [];
  return (seconds ?? Number.NaN) * 1e3 + (microseconds ?? Number.NaN) / 1e3;
}
