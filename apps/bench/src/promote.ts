/**
 * `pnpm bench:promote`: what a flood of due entries does to everybody else. They become due at once, for a queue that nobody
 * works on; meanwhile one probe asks Redis for a PONG every other millisecond, and another pushes a job into a queue that
 * the same worker processes serve. Both are measured without the flood first.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { PrivateRedis } from './private-redis.js';
import { spread } from './spread.js';
import { startWorker, stopWorker, until } from './worker-process.js';

const options = new Command('bench:promote')
  .description('Promotes a flood of due entries beside running jobs')
  .option('--entries <n>', 'due entries, half of them in retry, half in schedule', Number, 1_000_000)
  .option('--processes <n>', 'tsq-worker processes', Number, 2)
  .parse()
  .opts<{ entries: number; processes: number }>();

const bin = createRequire(import.meta.url).resolve('tsq-worker/bin');
const workers = fileURLToPath(new URL('./noop-workers.js', import.meta.url));
const place = ['-r', workers, '-q', 'default', '-t', '5', '--poll-average', '1'];
const command = [process.execPath, bin, ...place, '--no-job-logging', '--log-level', 'warn'];

const folder = mkdtempSync(join(tmpdir(), 'tsq-promote-'));
const latencies = join(folder, 'latencies');
writeFileSync(latencies, '');
const redis = await PrivateRedis.start();
const contestant = { command };
const started = Array.from({ length: options.processes }, () =>
  startWorker(redis, contestant, { BENCH_LATENCIES: latencies }),
);
try {
  await redis.admin.sadd('queues', 'default');
  await push();
  await until('a probe job has run', () => jobsSeen().length === 1);
  await report('without', async () => void (await delay(3_000)));
  for (const set of ['retry', 'schedule']) await fill(`held:${set}`, options.entries / 2);
  await redis.admin.config('SET', 'slowlog-log-slower-than', '200');
  await redis.admin.config('RESETSTAT');
  const seconds = await report('with the flood', flood);
  const perSecond = Math.round(options.entries / seconds).toLocaleString('en');
  print(`${options.entries.toLocaleString('en')} entries in ${seconds.toFixed(1)} s: ${perSecond} a second`);
  await reportCommands();
} finally {
  await Promise.all(started.map(stopWorker));
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function fill(key: string, count: number): Promise<void> {
  for (let next = 0; next < count; next += 1_000) {
    const batch = Array.from({ length: Math.min(1_000, count - next) }, (_, i) => [
      1e9 + next + i,
      `{"retry":true,"queue":"late","args":[${next + i}],"class":"Noop","jid":"${key}${next + i}","created_at":1795466562.4969463}`,
    ]);
    await redis.admin.zadd(key, ...batch.flat());
  }
}

async function flood(): Promise<void> {
  await redis.admin.rename('held:retry', 'retry');
  await redis.admin.rename('held:schedule', 'schedule');
  await until('nothing is due any more', async () => (await redis.admin.exists('retry', 'schedule')) === 0);
  const late = await redis.admin.llen('queue:late');
  if (late !== options.entries) throw new Error(`${late} of ${options.entries} entries were promoted`);
}

/** Measures both probes while `meanwhile` runs; returns the seconds that it took. */
async function report(what: string, meanwhile: () => Promise<void>): Promise<number> {
  const before = jobsSeen().length;
  const probes = new AbortController();
  const pings: number[] = [];
  let pushed = 0;
  const pinging = repeat(probes.signal, 2, async () => {
    const at = performance.now();
    await redis.admin.ping();
    pings.push((performance.now() - at) * 1_000);
  });
  const pushing = repeat(probes.signal, 20, async () => {
    await push();
    pushed += 1;
  });
  const at = performance.now();
  await meanwhile();
  const seconds = (performance.now() - at) / 1_000;
  probes.abort();
  await Promise.all([pinging, pushing]);
  await until('every probe job has run', () => jobsSeen().length === before + pushed);
  print(`${what.padEnd(15)} PING        ${spread(pings)}`);
  print(`${what.padEnd(15)} job starts  ${spread(jobsSeen().slice(before))}`);
  return seconds;
}

async function repeat(signal: AbortSignal, everyMs: number, step: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await step();
    await delay(everyMs);
  }
}

async function push(): Promise<void> {
  const sentAt = process.hrtime.bigint() / 1_000n;
  await redis.admin.lpush('queue:default', `{"class":"Started","args":[${sentAt}],"retry":false}`);
}

/** Microseconds from push to start, one for each. */
function jobsSeen(): readonly number[] {
  return readFileSync(latencies, 'utf8').split('\n').filter(Boolean).map(Number);
}

async function reportCommands(): Promise<void> {
  const stats = await redis.admin.info('commandstats');
  const [, calls, total] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(stats) ?? [];
  print(
    `scripts: ${calls} calls, ${Math.round(Number(total) / Number(calls))} us each, longest ${await longestScript()}`,
  );
}

async function longestScript(): Promise<string> {
  const entries = (await redis.admin.slowlog('GET', 1_000)) as [number, number, number, string[]][];
  const scripts = entries.filter(([, , , args]) => String(args[0]).toLowerCase() === 'evalsha');
  const longest = Math.max(0, ...scripts.map(([, , microseconds]) => microseconds));
  return longest === 0 ? 'under 200 us' : `${longest} us`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
