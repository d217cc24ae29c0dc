/** A Redis that comes back without its data knows no instance; jobs must run again long before the next beat. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { eventually, TestRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const redis = new TestRedis();
const tsq = useTsqWorkers();
beforeAll(() => redis.start());
afterAll(() => redis.stop());

/** Between two beats lie ten minutes: no test waits for one. */
const rarely = ['--heartbeat-interval', '600', '--heartbeat-ttl', '1200'];

async function enqueue(): Promise<string> {
  const client = new Client({ url: redis.url });
  try {
    return (await client.enqueue('Interop::Echo', ['again'])) ?? '';
  } finally {
    await client.close();
  }
}

const hasRun = (jid: string) => eventually(() => expect(tsq.journal.jids('echo')).toContain(jid), 20_000);

test('after FLUSHALL jobs run again, without waiting for the next beat', async () => {
  const worker = await tsq.start(redis.url, ...rarely);
  await hasRun(await enqueue());
  await redis.empty();
  await hasRun(await enqueue());
  expect(worker.log).toContain('goes on under a new id');
});

test('after a restart without data jobs run again, without waiting for the next beat', async () => {
  await tsq.start(redis.url, ...rarely);
  await hasRun(await enqueue());
  await redis.kill();
  await redis.start();
  await hasRun(await enqueue());
});
