/** What a job costs Redis on its whole way through a `tsq-worker`, tracked and untracked, many at once and one at a time. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Contestant } from '../contestant.js';
import type { PrivateRedis } from '../private-redis.js';
import { startWorker, stopWorker, until } from '../worker-process.js';
import { between, type Meter, readMeter } from './redis-meter.js';

export interface JobCosts {
  readonly name: string;
  readonly scriptsPerJob: number;
  readonly commandsPerJob: number;
  /** Socket reads of Redis. */
  readonly roundTripsPerJob: number;
  readonly netBytesPerJob: number;
  readonly redisMicrosecondsPerJob: number;
}

export async function jobCosts(redis: PrivateRedis, contestant: Contestant): Promise<JobCosts> {
  const folder = mkdtempSync(join(tmpdir(), 'tsq-costs-'));
  const counter = join(folder, 'count');
  const { admin } = redis;
  await admin.flushall();
  const worker = startWorker(redis, contestant, { BENCH_COUNT: counter });
  try {
    await admin.sadd('queues', 'default');
    await admin.lpush('queue:default', payload(contestant.jobClass, 0));
    await until('the probe job has run', () => countIn(counter) === 1);
    for (let id = 1; id <= contestant.jobs; id += 1)
      await admin.lpush('held', payload(contestant.jobClass, id));
    const before = await readMeter(admin);
    await admin.rename('held', 'queue:default');
    await until('every perform has run', () => countIn(counter) === contestant.jobs + 1);
    await delay(200); // for the last ends
    const work = between(before, await readMeter(admin));
    return perJob(contestant, work);
  } finally {
    await stopWorker(worker);
    rmSync(folder, { recursive: true, force: true });
  }
}

function perJob({ name, jobs }: Contestant, work: Meter): JobCosts {
  return {
    name,
    scriptsPerJob: work.scripts / jobs,
    commandsPerJob: work.commands / jobs,
    roundTripsPerJob: work.reads / jobs,
    netBytesPerJob: work.netBytes / jobs,
    redisMicrosecondsPerJob: work.cpuMicroseconds / jobs,
  };
}

/** About 220 bytes, as Sidekiq 6.4 writes it. */
function payload(jobClass: string, id: number): string {
  const args = `[${id},"some argument",{"a":1,"b":[true,null]}]`;
  return `{"retry":true,"queue":"default","args":${args},"class":"${jobClass}","jid":"${id.toString(16).padStart(24, '0')}","created_at":1795466562.4969463,"enqueued_at":1795466562.4972026}`;
}

function countIn(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0; // the worker has not opened it yet
  }
}
