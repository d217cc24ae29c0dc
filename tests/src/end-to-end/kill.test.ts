/**
 * S1, L1: kill -9 of real processes at random moments. Two workers, 300 tracked jobs, five kills; each job must end, and
 * the journal that the jobs write outside Redis says whether it did.
 */
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { eventually, Seeded, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const jobs = 300;
const kills = 5;

const redis = useRedis();
const tsq = useTsqWorkers();

test('S1 L1: 300 tracked jobs all end, though a process is killed five times', async () => {
  const seed = Number(process.env.TSQ_TEST_SEED ?? Date.now() % 1_000_000);
  const random = new Seeded(seed); // the moments of the kills follow from it
  const pair = [await tsq.start(redis.url, '-c', '5'), await tsq.start(redis.url, '-c', '5')];
  const client = new Client({ url: redis.url });
  const durations = Array.from({ length: jobs }, () => [Math.floor(50 + random.next() * 250)] as const);
  const jids = await client.enqueueBulk('Interop::Sleeping', durations);
  await client.close();

  for (let kill = 1; kill <= kills; kill += 1) {
    // By the number of ended jobs, not by time: the same seed means the same moment on a faster machine.
    const moment = Math.floor(((kill - random.next()) * jobs * 0.8) / kills);
    await eventually(() => expect(tsq.journal.jids('end').length).toBeGreaterThanOrEqual(moment), 60_000);
    const victim = random.next() < 0.5 ? 0 : 1;
    await pair[victim]?.end('SIGKILL');
    pair[victim] = await tsq.start(redis.url, '-c', '5');
  }

  const missing = () => jids.filter((jid) => !tsq.journal.jids('end').includes(jid ?? ''));
  await eventually(() => expect({ seed, missing: missing() }).toEqual({ seed, missing: [] }), 60_000);
  const endings = await Promise.all(pair.map((worker) => worker.end('SIGTERM')));
  expect(endings).toEqual([0, 0]);
  const admin = redis.connect();
  expect(await admin.llen('queue:default')).toBe(0);
  // L3: after the last job has ended and the last instance is gone, no key of ours remains.
  expect(await admin.keys('tsq:*')).toEqual([]);
}, 120_000);
