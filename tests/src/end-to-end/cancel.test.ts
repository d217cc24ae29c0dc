/** Cancel by jid, from another process than the one that has the job. */
import { expect, test } from '@jest/globals';
import { Client, cancelJob } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const redis = useRedis();
const tsq = useTsqWorkers();

async function enqueue(name: string, durationMs: number, delaySeconds = 0): Promise<string> {
  const client = new Client({ url: redis.url });
  try {
    return (await client.enqueueIn(delaySeconds, name, [durationMs])) ?? '';
  } finally {
    await client.close();
  }
}

/** Queue, retry, dead, claims, cancellations. */
async function left(): Promise<readonly number[]> {
  const admin = redis.connect();
  return await Promise.all([
    ...[admin.llen('queue:default'), admin.zcard('retry'), admin.zcard('dead')],
    ...[admin.keys('tsq:job:*').then((found) => found.length), admin.exists('tsq:cancelled')],
  ]);
}

test('a running job is ended in whichever process has it, and is nowhere afterwards', async () => {
  const workers = [await tsq.start(redis.url), await tsq.start(redis.url)];
  const [kept, cancelled] = [
    await enqueue('Interop::Heeding', 60_000),
    await enqueue('Interop::Heeding', 60_000),
  ];
  await eventually(() => expect(tsq.journal.jids('start')).toHaveLength(2));
  await cancelJob(redis.connect(), cancelled);
  await eventually(() => {
    const lines = workers
      .flatMap(({ log }) => log.split('\n'))
      .filter((line) => line.includes('"cancelled"'));
    expect(lines).toEqual([expect.stringContaining(cancelled)]);
  });
  await eventually(async () => expect(await left()).toEqual([0, 0, 0, 1, 0]));
  await cancelJob(redis.connect(), kept);
  await eventually(async () => expect(await left()).toEqual([0, 0, 0, 0, 0]));
  expect(tsq.journal.jids('end')).toEqual([]);
});

test('jobs that wait in a queue and in schedule are dropped when they come up, with a line in the log', async () => {
  const queued = await enqueue('Interop::Echo', 1);
  const scheduled = await enqueue('Interop::Echo', 1, 1);
  for (const jid of [queued, scheduled]) await cancelJob(redis.connect(), jid);
  const worker = await tsq.start(redis.url);
  const after = await enqueue('Interop::Echo', 1, 2);
  await eventually(() => expect(tsq.journal.jids('echo')).toContain(after));
  await eventually(async () => expect(await left()).toEqual([0, 0, 0, 0, 0]));
  for (const jid of [queued, scheduled]) {
    expect(tsq.journal.jids('echo')).not.toContain(jid);
    expect(
      worker.log.split('\n').filter((line) => line.includes(jid) && line.includes('dropped')),
    ).toHaveLength(1);
  }
});

test('S1: a job that was cancelled while its process died is not run again, and not kept', async () => {
  const victim = await tsq.start(redis.url);
  const jid = await enqueue('Interop::Sleeping', 600_000); // does not heed its signal
  await eventually(() => expect(tsq.journal.jids('start')).toContain(jid));
  await cancelJob(redis.connect(), jid);
  await victim.end('SIGKILL');
  const heir = await tsq.start(redis.url);
  await eventually(() => expect(heir.log).toContain('it is dropped'), 20_000);
  await eventually(async () => expect(await left()).toEqual([0, 0, 0, 0, 0]));
  expect(tsq.journal.jids('start').filter((started) => started === jid)).toHaveLength(1);
});
