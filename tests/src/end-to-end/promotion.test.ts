/**
 * S1, S3: `tsq-worker` killed with kill -9 while it promotes. Between taking an entry from its set and putting it into its
 * queue a Ruby process loses the job; here each of many stands in its queue once at the end.
 */
import { expect, test } from '@jest/globals';
import { eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const perFlood = 40_000;
const kills = 3;
/** Nobody works on it: what is promoted stays where it can be counted. */
const queue = 'elsewhere';

const redis = useRedis();
const tsq = useTsqWorkers();

test('S1 S3: of processes killed in the middle of a flood of due entries each entry is promoted, and once', async () => {
  const admin = redis.connect();
  const jids: string[] = [];
  const promoted = async () => await admin.llen(`queue:${queue}`);
  const left = async () => jids.length - (await promoted());

  /** Half of it in each set; due at once. */
  async function pour(): Promise<void> {
    const added = Array.from({ length: perFlood }, (_, index) => `job-${jids.length + index}`);
    jids.push(...added);
    for (const set of ['retry', 'schedule']) {
      const entries = added.splice(0, perFlood / 2).map((jid) => [1_000_000, payload(jid)]);
      while (entries.length > 0) await admin.zadd(`held:${set}`, ...entries.splice(0, 5_000).flat());
    }
    // What a killed process has left stays due too.
    for (const set of ['retry', 'schedule']) await admin.zunionstore(set, 2, set, `held:${set}`);
    await admin.del('held:retry', 'held:schedule');
  }

  for (let killed = 0; killed < kills; ) {
    const worker = await tsq.start(redis.url);
    const before = await promoted();
    await pour();
    await eventually(async () => expect(await promoted()).toBeGreaterThan(before), 30_000);
    await worker.end('SIGKILL');
    if ((await left()) > 0) killed += 1; // or else it came too late, and counts for nothing
  }
  await Promise.all([tsq.start(redis.url), tsq.start(redis.url)]);
  await eventually(async () => expect(await admin.exists('retry', 'schedule')).toBe(0), 60_000);

  const found = (await admin.lrange(`queue:${queue}`, 0, -1)).map((text) => JSON.parse(text).jid as string);
  expect(found).toHaveLength(jids.length);
  expect(new Set(found)).toEqual(new Set(jids));
}, 120_000);

function payload(jid: string): string {
  return `{"class":"Interop::Echo","args":[],"queue":"${queue}","jid":"${jid}"}`;
}
