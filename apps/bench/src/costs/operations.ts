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
  const line = contestant.line(redis);
  const worker = startWorker(redis, contestant, { BENCH_COUNT: counter });
  try {
    await line.probe();
    await until('the probe job has run', () => countIn(counter) === 1);
    await line.hold(contestant.jobs);
    const before = await readMeter(admin);
    await line.release();
    await until('every perform has run', () => countIn(counter) === contestant.jobs + 1);
    await delay(200); // for the last ends
    const work = between(before, await readMeter(admin));
    return perJob(contestant, work);
  } finally {
    await stopWorker(worker);
    await line.close();
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

function countIn(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0; // the worker has not opened it yet
  }
}
