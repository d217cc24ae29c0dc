/**
 * Takes away all that a drill has put into Redis: everything of it carries its name, and nothing else does. It can be done
 * at any moment, again and by another process, so that a drill that was killed itself can be cleaned up after.
 */
import { keys } from '@tsq/core';
import type { Redis } from 'ioredis';
import type { DrillName } from './drill-settings.js';

const pageSize = '1000';

/** @returns how many keys and entries were taken away  @throws what the connection throws */
export async function cleanUp(redis: Redis, name: DrillName): Promise<number> {
  let removed = 0;
  // What a killed process had sent may still be executed once its connections are read to their end: so until nothing is found.
  for (;;) {
    const found = await cleanUpOnce(redis, name);
    removed += found;
    if (found === 0) return removed;
  }
}

async function cleanUpOnce(redis: Redis, name: DrillName): Promise<number> {
  let removed = await redis.unlink(keys.queue(name));
  removed += await redis.srem(keys.queues, name);
  removed += await redis.srem(keys.paused, name);
  for (const set of [keys.schedule, keys.retry, keys.dead]) removed += await removeEntries(redis, set, name);
  return removed + (await removeKeys(redis, name));
}

/** Of a job that failed: its payload names the queue. Page by page, for the sets are the user's, and may be long. */
async function removeEntries(redis: Redis, set: string, name: DrillName): Promise<number> {
  let removed = 0;
  let cursor = '0';
  do {
    const [next, flat] = await redis.zscanBuffer(set, cursor, 'MATCH', `*"${name}"*`, 'COUNT', pageSize);
    const members = flat.filter((_, index) => index % 2 === 0);
    if (members.length > 0) removed += await redis.zrem(set, ...members);
    cursor = next.toString();
  } while (cursor !== '0');
  return removed;
}

/** SCAN, which lets others through between its pages, and finds what no list of keys would have foreseen. */
async function removeKeys(redis: Redis, name: DrillName): Promise<number> {
  let removed = 0;
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${name}:*`, 'COUNT', pageSize);
    if (found.length > 0) removed += await redis.unlink(...found);
    cursor = next;
  } while (cursor !== '0');
  return removed;
}
