/** The first word with Redis: a command whose Redis is not there says so in one sentence, and soon. */
import { type RedisLocation, shownLocation, unavailable, whenReady } from '@tsq/core';
import type { Redis } from 'ioredis';

const connectsWithinMs = 5_000;

/** @throws TSQ_REDIS_UNAVAILABLE: with what to do */
export async function reach(redis: Redis, location: RedisLocation): Promise<void> {
  await whenReady(redis, connectsWithinMs).catch((error: unknown) => {
    const why = error instanceof Error ? (error.cause ?? error) : error;
    throw unavailable(`${shownLocation(location)} gave no connection within ${connectsWithinMs} ms`, why);
  });
}
