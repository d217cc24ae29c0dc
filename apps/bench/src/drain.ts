/**
 * Drains a queue of no-op jobs and takes the time. The worker is up and has run a probe job; the jobs are filled into a
 * held line while it idles; one step releases them all; the clock stops when the last `perform` has run and the line is
 * drained. Then the books must balance, or the figure is void.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contestant } from './contestant.js';
import type { Line } from './lines/line.js';
import type { PrivateRedis } from './private-redis.js';
import { machineSeconds, memoryMiB, readings, since } from './readings.js';
import { startWorker, stopWorker, until } from './worker-process.js';

export interface Drain {
  readonly name: string;
  readonly concurrency: number;
  readonly jobs: number;
  readonly jobsPerSecond: number;
  readonly workerMicrosecondsPerJob: number;
  readonly redisMicrosecondsPerJob: number;
  readonly commandsPerJob: number;
  readonly readsPerJob: number;
  /** The most that the worker process ever had in memory. */
  readonly peakMiB: number;
  /** Cores that neither the worker nor Redis used, but something else: what disturbed the measurement. */
  readonly otherCores: number;
}

export async function drain(redis: PrivateRedis, contestant: Contestant): Promise<Drain> {
  const folder = mkdtempSync(join(tmpdir(), 'tsq-drain-'));
  const counter = join(folder, 'count');
  const { name, concurrency, jobs } = contestant;
  await redis.admin.flushall();
  const line = contestant.line(redis);
  const worker = startWorker(redis, contestant, { BENCH_COUNT: counter });
  const pid = worker.pid ?? 0;
  try {
    await line.probe();
    await until(`${name}: the probe job has run`, () => countIn(counter) === 1);
    await line.hold(jobs);
    const [before, othersBefore] = [await readings(redis.admin, pid), machineSeconds()];
    const startedAtMs = performance.now();
    await line.release();
    await until(`${name}: every perform has run`, () => countIn(counter) === jobs + 1);
    await until(`${name}: nothing is queued or in hand`, () => line.isDrained());
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const cost = since(before, await readings(redis.admin, pid));
    const coreSeconds = machineSeconds() - othersBefore;
    const peakMiB = memoryMiB(pid, 'VmHWM');
    await stopWorker(worker);
    await audit(line, contestant);
    return {
      name,
      concurrency,
      jobs,
      jobsPerSecond: jobs / seconds,
      workerMicrosecondsPerJob: cost.workerMicroseconds / jobs,
      redisMicrosecondsPerJob: cost.redisMicroseconds / jobs,
      commandsPerJob: cost.commands / jobs,
      readsPerJob: cost.reads / jobs,
      peakMiB,
      otherCores: (coreSeconds - (cost.workerMicroseconds + cost.redisMicroseconds) / 1_000_000) / seconds,
    };
  } finally {
    await stopWorker(worker);
    await line.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function audit(line: Line, { name, jobs }: Contestant): Promise<void> {
  const books = JSON.stringify(await line.books());
  const balanced = JSON.stringify(line.expectedBooks(jobs + 1));
  if (books !== balanced) {
    throw new Error(`${name}: the books do not balance: ${books}, expected ${balanced}`);
  }
}

function countIn(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0; // the worker has not opened it yet
  }
}
