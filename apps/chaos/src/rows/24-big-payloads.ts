/**
 * Row 24: jobs of 10 MB. A process is killed with some of them in hand; they come back with their bytes, and no process takes more
 * memory for there being many of them.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { begun, must, same } from './seen.js';

const concurrency = 2;
const megabyte = 2 ** 20;

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const isFull = stage.size === 'full';
  const [count, length] = isFull ? [100, 10 * megabyte] : [12, 5 * megabyte];
  const client = stage.client();
  const jids: string[] = [];
  for (let n = 0; n < count; n += 1)
    jids.push(await client.enqueue('Chaos::Tracked', [200, ballast(stage, length)]));
  const before = await digests(stage);

  const victim = await stage.worker({ concurrency });
  await begun(stage, jids.slice(0, concurrency), victim.pid);
  await victim.kill();
  same(await digests(stage), before, 'SHA-256 of what waits and of what the dead process holds');

  const worker = await stage.worker({ concurrency });
  await stage.drained(isFull ? 600_000 : 60_000);
  const peak = peakMegabytes(worker);
  const { jobs, done } = await stage.verify();
  same([jobs, done], [count, count], 'jobs, and done');
  // Those in hand, claimed ahead, on the wire and in the observer's hash: some copies of each, however many there are in all.
  const most = 250 + (concurrency * 16 * length) / megabyte;
  must(peak < most, `expected less than ${most} MB of memory, the worker had ${peak} MB`);
}

/** Text that the seed decides, and that no two jobs share. */
function ballast(stage: Stage, length: number): string {
  const piece = Array.from({ length: 1_024 }, () => stage.random.below(36).toString(36)).join('');
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
}

/** Of what waits in the queue, and of what is claimed, in the order of the digests. */
async function digests(stage: Stage): Promise<readonly string[]> {
  const redis = stage.connect();
  const all: string[] = [];
  const add = (bytes: Buffer | null) => {
    if (bytes !== null) all.push(createHash('sha256').update(bytes).digest('hex'));
  };
  const count = await redis.llen('queue:default');
  for (let at = 0; at < count; at += 1) add(await redis.lindexBuffer('queue:default', at));
  for (const key of await redis.keys('tsq:job:*')) add(await redis.getBuffer(key));
  return all.sort();
}

/** The most that it ever had resident. */
function peakMegabytes(worker: WorkerProcess): number {
  const status = readFileSync(`/proc/${worker.pid}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024);
}

export const row: Row = {
  number: 24,
  fault: 'payloads of 10 MB, and a kill with some of them in hand',
  holds: ['S1', 'S5', 'L3'],
  run,
};
