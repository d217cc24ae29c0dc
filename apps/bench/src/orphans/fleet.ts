/** What a pass of the recoverer costs Redis while everybody lives: commands, counted by Redis, those inside scripts too. */
import { Recoverer } from '@tsq/recovery';
import { Instance, type InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import type { PrivateRedis } from '../private-redis.js';
import { until } from '../worker-process.js';

export interface Price {
  readonly commands: number;
  /** The longest script. */
  readonly longestUs: number;
}

const keyspace = new Keyspace();
const passes = 20;

/** With no other key in Redis, and with 100,000. */
export async function priceOfAPass(
  redis: PrivateRedis,
  instances: number,
): Promise<{ none: Price; many: Price }> {
  for (let n = 0; n < instances; n += 1) {
    const id = `alive-${n}` as InstanceId;
    await redis.admin.sadd(keyspace.instances, id);
    await redis.admin.set(keyspace.instance(id), '1');
  }
  const none = await price(redis);
  for (let n = 0; n < 100; n += 1) {
    await redis.admin.mset(Array.from({ length: 1_000 }, (_, i) => [`tsq:job:other-${n}-${i}`, 'x']).flat());
  }
  return { none, many: await price(redis) };
}

async function price({ url, admin }: PrivateRedis): Promise<Price> {
  const fast = { startDelayMs: 0, intervalMs: 1, watchIntervalMs: 0 };
  const recoverer = new Recoverer({ location: { url }, instance: new Instance('bench'), ...fast });
  await recoverer.start();
  try {
    await until('a pass', () => recoverer.counts.passes > 0); // its scripts are known by now
    await admin.config('SET', 'slowlog-log-slower-than', '0');
    await admin.slowlog('RESET');
    const before = await commands(admin);
    const from = recoverer.counts.passes;
    await until('enough passes', () => recoverer.counts.passes >= from + passes);
    const done = recoverer.counts.passes - from;
    const after = await commands(admin);
    const longestUs = Math.max(
      ...((await admin.slowlog('GET', 100)) as [number, number, number][]).map(([, , us]) => us),
    );
    return { commands: Math.round((after - before) / done), longestUs };
  } finally {
    await recoverer.stop(AbortSignal.timeout(5_000));
  }
}

async function commands(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats');
  let sum = 0;
  for (const [, calls] of stats.matchAll(/^cmdstat_(?!info|config|slowlog)[^:]*:calls=(\d+)/gm))
    sum += Number(calls);
  return sum;
}
