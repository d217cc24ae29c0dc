/** L1: with 30 s between two heartbeats and a TTL of 90 s, what a killed process was doing starts again long before either. */
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const redis = useRedis();
const tsq = useTsqWorkers();

const slow = ['--heartbeat-interval', '30', '--heartbeat-ttl', '90', '--recovery-interval', '30'];

test('L1: the jobs of a process that was killed start again on another one, though its heartbeat vouches for it', async () => {
  const start = () => tsq.start(redis.url, '-c', '3', ...slow);
  const killed = await start();
  const client = new Client({ url: redis.url });
  const jids = (await client.enqueueBulk('Interop::Heeding', Array(3).fill([600_000]))).toSorted();
  await client.close();
  const startedBy = (pid: number) =>
    tsq.journal
      .lines('start')
      .filter((line) => line.pid === pid)
      .map(({ jid }) => jid)
      .toSorted();
  await eventually(() => expect(startedBy(killed.pid)).toEqual(jids), 30_000);
  const survivor = await start();
  const admin = redis.connect();
  await eventually(async () => expect(await admin.hlen('tsq:sightings')).toBe(2), 30_000);
  await killed.end('SIGKILL');
  await eventually(() => expect(startedBy(survivor.pid)).toEqual(jids), 30_000);
  expect(survivor.log).toContain('"rule":"connections"');
}, 120_000);
