/**
 * What `npm start` runs: two workers, producers in TypeScript and Ruby, a kill -9, a retry, and an honest count at the
 * end. It works on the Redis of REDIS_URL, on a queue and a namespace of its own, and takes away what it put there, but for
 * Sidekiq's statistics (`stat:*`): they are the history of the whole Redis, in which these jobs ran too.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, openConnection, whenReady, withoutPassword } from '@tsq/core';
import type { Redis } from 'ioredis';
import { Journal } from './journal.js';
import { WorkerProcess, type WorkerSettings } from './worker-process.js';
import { chargeCard, ResizeImage } from './workers.js';

const queue = 'tsq-demo';
const namespace = 'tsq-demo';
const redisUrl = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379/0';
const keep = process.argv.includes('--keep');
const started = performance.now();

interface Tally {
  readonly enqueued: readonly string[];
  readonly recovered: readonly string[];
}

const connectsWithinMs = 5_000;

async function main(): Promise<number> {
  const redis = openConnection({ url: redisUrl }, { name: 'tsq-demo' });
  try {
    await reach(redis);
    await refuseLeftovers(redis);
    return await showOn(redis);
  } finally {
    redis.disconnect();
  }
}

/** Before anything is started: a Redis that is not there, or not for us, is one line and not a minute of waiting. */
async function reach(redis: Redis): Promise<void> {
  try {
    await whenReady(redis, connectsWithinMs);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `REDIS_URL is ${withoutPassword(redisUrl)}. ${why}, or unset REDIS_URL for a private Redis`,
    );
  }
}

async function showOn(redis: Redis): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'tsq-demo-'));
  const settings = (name: string): WorkerSettings => ({
    redisUrl,
    queue,
    namespace,
    journal: join(folder, 'journal'),
    log: join(folder, `${name}.log`),
  });
  writeFileSync(join(folder, 'journal'), '');
  const journal = new Journal(join(folder, 'journal'));
  const client = new Client({ url: redisUrl });
  const workers = ['worker 1', 'worker 2'].map((name) => WorkerProcess.start(name, settings(name)));
  let outcome = 1;
  try {
    const tally = await show(client, redis, journal, workers);
    outcome = summarise(tally, journal);
    if (keep) await keepUp(workers);
  } finally {
    if (outcome !== 0)
      for (const worker of workers) say(`log of ${worker.name}:\n${worker.logText().slice(-4_000)}`);
    await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
    await client.close();
    await tidyUp(redis, workers);
    rmSync(folder, { recursive: true, force: true });
  }
  return outcome;
}

/** A killed process takes no leave: its entry would stand on Sidekiq's pages for another minute. */
async function tidyUp(redis: Redis, workers: readonly WorkerProcess[]): Promise<void> {
  await redis.srem('queues', queue);
  const identities = workers.map((worker) => worker.identity).filter((text) => text !== undefined);
  for (const identity of identities) {
    await redis.srem('processes', identity);
    await redis.unlink(identity, `${identity}:work`, `${identity}:workers`);
  }
}

async function show(
  client: Client,
  redis: Redis,
  journal: Journal,
  workers: WorkerProcess[],
): Promise<Tally> {
  const [first, second] = workers;
  if (first === undefined || second === undefined) throw new Error('the show needs two workers');
  await until('both workers work', async () => (await redis.scard(`${namespace}:instances`)) === 2);
  say(`two tsq-worker processes are up: pid ${first.pid} and pid ${second.pid}, 5 jobs at once each`);

  const enqueued = await enqueueFromTypeScript(client);
  enqueued.push(...enqueueFromRuby());
  await until('twenty jobs are done', () => journal.done().size >= 20);
  say(`${journal.done().size} jobs are done by both workers`);

  await first.kill('SIGKILL');
  const orphans = journal.inFlightOf(first.pid);
  say(`kill -9 of pid ${first.pid}: it had ${orphans.length} jobs in hand`);
  const backAgain = () => orphans.filter((jid) => journal.done().has(jid));
  await until('the orphans ran again', () => backAgain().length === orphans.length);
  say(`pid ${second.pid} found its jobs and ran them again: ${orphans.length} recovered`);

  await showRetry(client, redis, journal, enqueued);
  await until('all jobs are done', () => enqueued.every((jid) => journal.done().has(jid)));
  return { enqueued, recovered: backAgain() };
}

async function enqueueFromTypeScript(client: Client): Promise<string[]> {
  const args = Array.from({ length: 40 }, (_, n): [string, number] => [
    `https://example.org/${n}.png`,
    300 + 10 * n,
  ]);
  const jids = await client.with({ queue }).enqueueBulk(ResizeImage, args);
  say(`${jids.length} jobs enqueued from TypeScript (ResizeImage)`);
  return jids.filter((jid) => jid !== undefined);
}

function enqueueFromRuby(): string[] {
  const probe = spawnSync('ruby', ['-e', 'require "sidekiq"; print Sidekiq::VERSION'], { encoding: 'utf8' });
  if (probe.status !== 0) {
    say('no Ruby with Sidekiq here: its part is left out (Debian, Ubuntu: apt-get install ruby-sidekiq)');
    return [];
  }
  const producer = fileURLToPath(new URL('../ruby/producer.rb', import.meta.url));
  const env = { ...process.env, REDIS_URL: redisUrl };
  const output = execFileSync('ruby', [producer, queue, '20'], { encoding: 'utf8', env });
  const jids = output.trim().split('\n');
  say(`${jids.length} jobs enqueued from Ruby by Sidekiq ${probe.stdout} (Reports::Render)`);
  return jids;
}

async function showRetry(client: Client, redis: Redis, journal: Journal, enqueued: string[]): Promise<void> {
  const jid = await client.with({ queue }).enqueue(chargeCard, 4711);
  if (jid === undefined) throw new Error('the job was not enqueued');
  enqueued.push(jid);
  const entry = await until('the failed job is in retry', async () => await findRetry(redis, jid));
  const { error_class, error_message } = JSON.parse(entry.member) as Record<string, string>;
  const [now] = await redis.time();
  const dueSeconds = Math.round(entry.score - Number(now));
  say(`a job failed: it is in retry, due in ${dueSeconds} s, with ${error_class}: ${error_message}`);
  await redis.zadd('retry', 'XX', 0, entry.member);
  await until('the retry ran', () => journal.done().has(jid));
  say('its retry, made due at once, ran through');
}

async function findRetry(redis: Redis, jid: string): Promise<{ member: string; score: number } | undefined> {
  const flat = await redis.zrange('retry', '0', '-1', 'WITHSCORES');
  const at = flat.findIndex((text) => text.includes(jid));
  return at < 0 ? undefined : { member: flat[at] ?? '', score: Number(flat[at + 1]) };
}

function summarise({ enqueued, recovered }: Tally, journal: Journal): number {
  const done = enqueued.filter((jid) => journal.done().has(jid));
  const lost = enqueued.filter((jid) => !journal.done().has(jid));
  say(`enqueued ${enqueued.length}, done ${done.length}, recovered ${recovered.length}, lost ${lost.length}`);
  if (recovered.length === 0) say('nothing was in flight at the kill, so recovery was not shown');
  for (const jid of lost) say(`missing: job ${jid}`);
  return lost.length === 0 && recovered.length > 0 ? 0 : 1;
}

async function keepUp(workers: readonly WorkerProcess[]): Promise<void> {
  const running = workers.filter((worker) => worker.isRunning);
  say(
    `still up: Redis at ${redisUrl}, tsq-worker pid ${running.map((worker) => worker.pid).join(', ')}. Ctrl-C ends both`,
  );
  say(`enqueue to it from Ruby:    REDIS_URL=${redisUrl} ruby apps/demo/ruby/producer.rb ${queue} 5`);
  say(`enqueue to it by hand:      redis-cli -u ${redisUrl} LPUSH queue:${queue} '${sampleJob()}'`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}

function sampleJob(): string {
  return '{"class":"ResizeImage","args":["https://example.org/a.png",640],"jid":"b4a577edbccf1d805744efa9"}';
}

/** Somebody else's demo on the same Redis would be counted as ours. */
async function refuseLeftovers(redis: Redis): Promise<void> {
  const waiting = await redis.llen(`queue:${queue}`);
  if (waiting > 0)
    throw new Error(
      `queue ${queue} already holds ${waiting} jobs; empty it with: redis-cli DEL queue:${queue}`,
    );
}

async function until<T>(what: string, check: () => T | Promise<T>): Promise<NonNullable<T>> {
  const end = performance.now() + 60_000;
  for (;;) {
    const answer = await check();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`waited 60 s, and it did not come true: ${what}`);
    await delay(50);
  }
}

function say(line: string): void {
  const seconds = ((performance.now() - started) / 1_000).toFixed(1).padStart(5);
  process.stdout.write(`${seconds} s  ${line}\n`);
}

process.exitCode = await main().catch((error: unknown) => {
  say(`the show failed: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});
