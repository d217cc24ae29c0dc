/**
 * Drains a queue of no-op jobs and takes the time. The worker is up and has run a probe job; the jobs are filled into a
 * held list while it idles; one RENAME releases them all; the clock stops when the last `perform` has run and neither a
 * queue entry of its own nor a claim is left. Then the books must balance, or the figure is void.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Contestant } from './contestant.js';
import type { PrivateRedis } from './private-redis.js';
import { startWorker, stopWorker, until } from './worker-process.js';

export interface Drain {
  readonly name: string;
  readonly jobsPerSecond: number;
  /** Of the worker process, user and system. */
  readonly workerMicrosecondsPerJob: number;
  /** Of Redis, likewise. */
  readonly redisMicrosecondsPerJob: number;
  /** Socket reads of Redis: the round trips as it sees them. */
  readonly readsPerJob: number;
}

export async function drain(redis: PrivateRedis, contestant: Contestant): Promise<Drain> {
  const folder = mkdtempSync(join(tmpdir(), 'tsq-drain-'));
  const counter = join(folder, 'count');
  await redis.admin.flushall();
  const worker = startWorker(redis, contestant, { BENCH_COUNT: counter });
  try {
    await probe(redis.admin, contestant, counter);
    await fill(redis.admin, contestant);
    const before = await measure(redis.admin, worker);
    const started = performance.now();
    await redis.admin.rename('held', 'queue:default');
    await untilDrained(redis.admin, contestant, counter);
    const seconds = (performance.now() - started) / 1_000;
    const after = await measure(redis.admin, worker);
    await stopWorker(worker);
    await audit(redis.admin, contestant);
    return {
      name: contestant.name,
      jobsPerSecond: contestant.jobs / seconds,
      workerMicrosecondsPerJob: (after.workerMicroseconds - before.workerMicroseconds) / contestant.jobs,
      redisMicrosecondsPerJob: (after.redisMicroseconds - before.redisMicroseconds) / contestant.jobs,
      readsPerJob: (after.reads - before.reads) / contestant.jobs,
    };
  } finally {
    await stopWorker(worker);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function probe(admin: Redis, contestant: Contestant, counter: string): Promise<void> {
  await admin.sadd('queues', 'default');
  await admin.lpush('queue:default', payload(contestant.jobClass, 0));
  await until('the probe job has run', () => countIn(counter) === 1);
}

async function fill(admin: Redis, { jobs, jobClass, othersInFront = 0 }: Contestant): Promise<void> {
  for (let other = 1; other <= othersInFront; other += 1) {
    await admin.lpush('held', payload('Other', jobs + other));
  }
  for (let next = 1; next <= jobs; next += 1_000) {
    const batch = Array.from({ length: Math.min(1_000, jobs - next + 1) }, (_, i) =>
      payload(jobClass, next + i),
    );
    await admin.lpush('held', ...batch);
  }
}

/** About 220 bytes, as Sidekiq 6.4 writes it. */
function payload(jobClass: string, id: number): string {
  const jid = id.toString(16).padStart(24, '0');
  const args = `[${id},"some argument",{"a":1,"b":[true,null]}]`;
  return `{"retry":true,"queue":"default","args":${args},"class":"${jobClass}","jid":"${jid}","created_at":1795466562.4969463,"enqueued_at":1795466562.4972026}`;
}

async function untilDrained(admin: Redis, contestant: Contestant, counter: string): Promise<void> {
  const { jobs, othersInFront = 0 } = contestant;
  await until('every perform has run', () => countIn(counter) === jobs + 1);
  await until('nothing is queued or claimed', async () => {
    const claims = await admin.keys('tsq:job*');
    return claims.length === 0 && (await admin.llen('queue:default')) === othersInFront;
  });
}

async function audit(admin: Redis, { name, jobs }: Contestant): Promise<void> {
  const books = {
    processed: Number(await admin.get('stat:processed')),
    failed: Number((await admin.get('stat:failed')) ?? 0),
    retry: await admin.zcard('retry'),
    dead: await admin.zcard('dead'),
    left: (await admin.keys('tsq:*')).length,
  };
  const balanced = { processed: jobs + 1, failed: 0, retry: 0, dead: 0, left: 0 };
  if (JSON.stringify(books) === JSON.stringify(balanced)) return;
  throw new Error(
    `${name}: the books do not balance: ${JSON.stringify(books)}, expected ${JSON.stringify(balanced)}`,
  );
}

async function measure(
  admin: Redis,
  worker: ChildProcess,
): Promise<{ workerMicroseconds: number; redisMicroseconds: number; reads: number }> {
  const stats = await admin.info('stats');
  const reads = Number(/total_reads_processed:(\d+)/.exec(stats)?.[1] ?? 0);
  const cpu = await admin.info('cpu');
  const redisSeconds = [...cpu.matchAll(/used_cpu_(?:user|sys):([\d.]+)/g)].map(([, text]) => Number(text));
  const fields = readFileSync(`/proc/${worker.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]); // utime and stime, in hundredths of a second
  const redisMicroseconds = redisSeconds.reduce((sum, part) => sum + part, 0) * 1_000_000;
  return { workerMicroseconds: ticks * 10_000, redisMicroseconds, reads };
}

function countIn(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0; // the worker has not opened it yet
  }
}
