/** What very many orphans cost: each its share, and nobody waits for all of them. `pnpm bench:orphans` is the long form. */
import { expect, test } from '@jest/globals';
import { eventually, useRedis } from '@tsq/core/test-support';
import { Instance, type InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { Recoverer } from './recoverer.js';
import { fetchOrder, hold, keysLeft } from './test-support/claims.js';

const redis = useRedis();
const keyspace = new Keyspace();
const id = 'dead-1' as InstanceId;

/** Calls since the last RESETSTAT, those inside scripts too. */
async function calls(admin: Redis): Promise<ReadonlyMap<string, number>> {
  const stats = await admin.info('commandstats');
  return new Map(
    Array.from(stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm), ([, name = '', n]) => [name, Number(n)]),
  );
}

async function recovered(admin: Redis, count: number): Promise<ReadonlyMap<string, number>> {
  await admin.flushall();
  const texts = Array.from({ length: count }, (_, n) => `job ${n}`);
  for (let at = 0; at < count; at += 500)
    await hold(
      admin,
      keyspace,
      id,
      texts.slice(at, at + 500).map((bytes) => ({ queue: 'q', bytes })),
    );
  await admin.sadd(keyspace.instances, id);
  await admin.config('RESETSTAT');
  const made = new Recoverer({
    ...{ location: { url: redis.url }, instance: new Instance('test'), keyspace },
    ...{ startDelayMs: 0, intervalMs: 60_000, watchIntervalMs: 0 },
  });
  try {
    await made.start();
    await eventually(() => expect(made.counts).toMatchObject({ passes: 1, recovered: count }), 60_000);
  } finally {
    await made.stop(AbortSignal.timeout(5_000));
  }
  const seen = await calls(admin);
  expect(await fetchOrder(admin, 'q')).toEqual(texts);
  expect(await keysLeft(admin, keyspace)).toEqual([]);
  return seen;
}

test('S3, S5: 20,000 orphans are back in their order, each at the price of each of 2,000, in steps that stay short', async () => {
  const admin = redis.connect();
  const few = await recovered(admin, 2_000);
  const many = await recovered(admin, 20_000);
  const sum = (all: ReadonlyMap<string, number>) => [...all.values()].reduce((total, n) => total + n, 0);
  expect(sum(many)).toBeLessThan(11 * sum(few));
  // No step names more than a hundred, or asks for all: a step is a call that asks which of its members are held.
  expect(many.get('smismember')).toBeGreaterThanOrEqual(200);
  expect(many.get('get')).toBeLessThan(20_000 + 300);
  for (const name of ['smembers', 'srandmember', 'keys', 'scan'])
    expect([name, many.get(name)]).toEqual([name, few.get(name)]);
}, 120_000);
