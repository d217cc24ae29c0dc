/**
 * From the push to `perform` on an idle worker: one job each 50 ms. Both ends read the machine's monotonic clock, which
 * processes share; the first tenth of the jobs warms up and does not count.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Contestant } from './contestant.js';
import type { PrivateRedis } from './private-redis.js';
import { startWorker, stopWorker, until } from './worker-process.js';

/** Microseconds, one for each job. */
export async function startLatencies(
  redis: PrivateRedis,
  contestant: Pick<Contestant, 'command'>,
  jobs: number,
): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tsq-start-'));
  const file = join(folder, 'latencies');
  writeFileSync(file, '');
  await redis.admin.flushall();
  const worker = startWorker(redis, contestant, { BENCH_LATENCIES: file });
  const seen = () => readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
  try {
    await redis.admin.sadd('queues', 'default');
    await push(redis, 0);
    await until('the probe job has run', () => seen().length === 1);
    for (let job = 1; job <= jobs; job += 1) {
      await delay(50);
      await push(redis, job);
    }
    await until('every job has run', () => seen().length === jobs + 1);
    return seen().slice(1 + Math.floor(jobs / 10));
  } finally {
    await stopWorker(worker);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function push({ admin }: PrivateRedis, id: number): Promise<void> {
  const jid = id.toString(16).padStart(24, '0');
  const sentAt = process.hrtime.bigint() / 1_000n;
  await admin.lpush('queue:default', `{"class":"Started","args":[${sentAt}],"jid":"${jid}","retry":false}`);
}
