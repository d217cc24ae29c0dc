/** The scripts that move many jobs at once, each with as many as it ever takes, while recoveries are counted. */
import type { Outcome } from '@tsq/core';
import { Instance, Keyspace, TrackingFetcher } from '@tsq/tracker';
import type { PrivateRedis } from '../private-redis.js';
import { payloadOf } from './orphans.js';
import { medians, watchScripts } from './script-times.js';

const keyspace = new Keyspace();
const rounds = 15;
/** What a claim takes at most, and a settle. */
const jobs = 500;

/** Median microseconds of each script. */
export async function timeBatches(redis: PrivateRedis): Promise<ReadonlyMap<string, number>> {
  const instance = new Instance('bench');
  await redis.admin.sadd(keyspace.instances, instance.id);
  await redis.admin.hset(keyspace.recoveries, 'of another job', '1');
  const fetcher = new TrackingFetcher({ location: { url: redis.url }, instance });
  await fetcher.start();
  try {
    await watchScripts(redis.admin, 0);
    for (let round = 0; round < rounds; round += 1) {
      for (const kind of ['done', 'retry'] as const) await batch(redis, fetcher, kind);
    }
    return await medians(redis.admin);
  } finally {
    await fetcher.stop(AbortSignal.timeout(5_000));
  }
}

async function batch(redis: PrivateRedis, fetcher: TrackingFetcher, kind: 'done' | 'retry'): Promise<void> {
  await redis.admin.lpush('queue:q', ...Array.from({ length: jobs }, (_, n) => payloadOf(n)));
  const units = await fetcher.fetch(['q'], jobs);
  const ends = units.map((unit) => {
    const outcome: Outcome = kind === 'done' ? { kind } : { kind, bytes: unit.bytes, delaySeconds: 60 };
    return unit.settle(outcome);
  });
  await Promise.all(ends);
  await redis.admin.del('retry');
}
