/** L2: a job that kills its process again and again goes to `dead`, and none of those that died beside it does. */
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const redis = useRedis();
const tsq = useTsqWorkers();

test('L2: of one poison job and nine innocent ones, with four processes, nine end and one dies', async () => {
  const start = () => tsq.start(redis.url, '-c', '10');
  const client = new Client({ url: redis.url });
  const innocent = await client.enqueueBulk('Interop::Sleeping', Array(5).fill([300]));
  const poison = await client.enqueue('Interop::Poison', []);
  innocent.push(...(await client.enqueueBulk('Interop::Sleeping', Array(4).fill([300]))));
  await client.close();

  const workers = [await start()]; // it takes all ten at once
  while (workers.length < 4) workers.push(await start());
  const admin = redis.connect();
  await eventually(async () => {
    // Who dies is started again, as an orchestrator does.
    for (const [index, worker] of workers.entries())
      if (worker.ending !== undefined) workers[index] = await start();
    expect(await admin.zcard('dead')).toBe(1);
    expect(innocent.filter((jid) => !tsq.journal.jids('end').includes(jid ?? ''))).toEqual([]);
  }, 90_000);

  const [entry] = await admin.zrange('dead', '0', '-1');
  expect(JSON.parse(entry ?? '')).toMatchObject({
    jid: poison,
    class: 'Interop::Poison',
    error_class: 'TsqError',
    error_message: expect.stringMatching(
      /^TSQ_JOB_POISON: .*put back at 2.*, and now instance .* has died with it/,
    ),
  });
  const starts = tsq.journal.jids('start').filter((jid) => jid === poison).length;
  expect(starts).toBeLessThanOrEqual(4);
  expect(tsq.journal.lines('poison')).toMatchObject([
    { jid: poison, text: expect.stringMatching(/^dead each/) },
  ]);
  await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
  expect(await admin.llen('queue:default')).toBe(0);
  expect(await admin.keys('tsq:*')).toEqual([]);
}, 120_000);
