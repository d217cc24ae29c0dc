/** Which jobs of a drill lie in Redis still: in its queue, in a claim, or in one of Sidekiq's sets. */
import { keys } from '@tsq/core';
import { Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { DrillName } from './drill-settings.js';

const DrillPayload = z.object({ args: z.tuple([z.int()]).rest(z.unknown()) });

export async function jobsIn(redis: Redis, name: DrillName): Promise<ReadonlySet<number>> {
  const payloads = await redis.lrange(keys.queue(name), 0, -1);
  const { jobPrefix } = new Keyspace(name);
  for await (const page of redis.scanStream({ match: `${jobPrefix}*`, count: 1_000 })) {
    const claims = page as string[]; // a page of SCAN is a list of keys
    if (claims.length > 0) payloads.push(...(await redis.mget(claims)).filter((text) => text !== null));
  }
  for (const set of [keys.schedule, keys.retry, keys.dead]) {
    for await (const page of redis.zscanStream(set, { match: `*"${name}"*`, count: 1_000 })) {
      payloads.push(...(page as string[]).filter((_, index) => index % 2 === 0)); // members and scores in turns
    }
  }
  return new Set(payloads.map(jobOf));
}

function jobOf(payload: string): number {
  return DrillPayload.parse(JSON.parse(payload)).args[0];
}
