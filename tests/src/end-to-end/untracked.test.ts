/** S1 for jobs that are not tracked: kill -9 loses none before its `perform`, and runs none again after it. */

import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const holdBeforePerform = fileURLToPath(new URL('./hold-before-perform.js', import.meta.url));
const redis = useRedis();
const tsq = useTsqWorkers();

async function enqueue(name: string, durationMs: number): Promise<string> {
  const client = new Client({ url: redis.url });
  try {
    return (await client.enqueue(name, [durationMs])) ?? '';
  } finally {
    await client.close();
  }
}

/** The processes that noted the event for this job, in order. */
const pidsOf = (event: string, jid: string) =>
  tsq.journal
    .lines(event)
    .filter((line) => line.jid === jid)
    .map((line) => line.pid);

/** What the instances hold, all together. */
async function claimed(): Promise<number> {
  const admin = redis.connect();
  const counts = (await admin.keys('tsq:jobs:*')).map((key) => admin.scard(key));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function elsewhere(): Promise<readonly number[]> {
  const admin = redis.connect();
  return await Promise.all([admin.llen('queue:default'), admin.zcard('retry'), admin.zcard('dead')]);
}

test('an untracked job that was killed in its perform is not run again, while a tracked one beside it is', async () => {
  const victim = await tsq.start(redis.url);
  const untracked = await enqueue('Interop::Untracked', 60_000);
  const tracked = await enqueue('Interop::Sleeping', 60_000);
  await eventually(() =>
    expect(tsq.journal.jids('start').toSorted()).toEqual([untracked, tracked].toSorted()),
  );
  // The release travels with the next batch: until then a crash would run the job again rather than lose it.
  await eventually(async () => expect(await claimed()).toBe(1));
  await victim.end('SIGKILL');
  const heir = await tsq.start(redis.url);
  await eventually(() => expect(pidsOf('start', tracked)).toEqual([victim.pid, heir.pid]));
  // One step puts all back that the dead one held: with the tracked job the untracked one would have come.
  expect(pidsOf('start', untracked)).toEqual([victim.pid]);
  expect([await claimed(), ...(await elsewhere())]).toEqual([1, 0, 0, 0]);
});

test('S1: an untracked job that was claimed and not yet started when its process was killed runs elsewhere', async () => {
  const victim = await tsq.start(redis.url, '-r', holdBeforePerform);
  const jid = await enqueue('Interop::Untracked', 1);
  await eventually(() => expect(pidsOf('held', jid)).toEqual([victim.pid]));
  expect([await claimed(), ...(await elsewhere())]).toEqual([1, 0, 0, 0]);
  await victim.end('SIGKILL');
  const heir = await tsq.start(redis.url);
  await eventually(() => expect(pidsOf('end', jid)).toEqual([heir.pid]));
  expect(pidsOf('start', jid)).toEqual([heir.pid]);
  await eventually(async () => expect([await claimed(), ...(await elsewhere())]).toEqual([0, 0, 0, 0]));
});
