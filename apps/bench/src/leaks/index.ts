/**
 * `pnpm leaks`: very many jobs, and very many instances that come and go, nine of ten in one process and every tenth a real
 * process that is killed with jobs in hand. At the end the namespace is empty (L3), and the memory of the two processes that
 * lived through it all is flat.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { PrivateRedis } from '../private-redis.js';
import { startWorker, stopWorker } from '../worker-process.js';
import { judge, residentMegabytes, type Sample } from './memory.js';

const options = new Command('leaks')
  .description('Runs many jobs and restarts many instances, and looks for what is left of them')
  .option('--jobs <n>', 'jobs, every second one tracked', Number, 1_000_000)
  .option(
    '--restarts <n>',
    'instances that come and go; every tenth is a process, and is killed',
    Number,
    1_000,
  )
  .parse()
  .opts<{ jobs: number; restarts: number }>();

/** Fewer say nothing about memory: a process has not warmed up by then. */
const judgedFromJobs = 200_000;
const batchSize = 1_000;
/** So many wait at most. */
const mostWaiting = 20_000;

const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const bin = createRequire(import.meta.url).resolve('tsq-worker/bin');
const times = ['--heartbeat-ttl', '4', '--heartbeat-interval', '1', '--recovery-interval', '1'];
const place = ['-r', fileOf('../noop-workers.js'), '-q', 'default', '-c', '10', '-t', '5'];
const quiet = ['--no-job-logging', '--log-level', 'error'];
const command = [process.execPath, bin, ...place, ...times, '--recovery-start-delay', '0', ...quiet];
const contestant = { name: 'tsq', jobs: 0, jobClass: 'Noop', command };

const kills = Math.floor(options.restarts / 10);
const redis = await PrivateRedis.start();
const processes: ChildProcess[] = [];
const done = { pushed: 0, restarted: 0, killed: 0, inHand: 0 };
try {
  const elder = startWorker(redis, contestant, {});
  const churn = fork(fileOf('./churn.js'), [redis.url, String(options.restarts - kills)]);
  processes.push(elder, churn);
  churn.on('message', () => {
    done.restarted += 1;
  });
  const samples = { elder: [] as Sample[], churn: [] as Sample[] };
  const sampling = setInterval(() => {
    // While it works: idle, it gives memory back.
    if (done.pushed < options.jobs) sample(samples.elder, elder, done.pushed / options.jobs);
    sample(samples.churn, churn, done.restarted / (options.restarts - kills));
  }, 200);
  const startedAt = performance.now();
  const churned = once(churn, 'exit');
  await Promise.all([push(), killMany(), churned]);
  if (churn.exitCode !== 0) throw new Error(`the process of the restarts ended with ${churn.exitCode}`);
  await untilDrained();
  clearInterval(sampling);
  const seconds = (performance.now() - startedAt) / 1_000;
  await stopWorker(elder);
  await report(seconds, samples);
} finally {
  for (const child of processes) child.kill('SIGKILL');
  await redis.stop();
}

async function push(): Promise<void> {
  await redis.admin.sadd('queues', 'default');
  while (done.pushed < options.jobs) {
    const count = Math.min(batchSize, options.jobs - done.pushed);
    await redis.admin.lpush(
      'queue:default',
      ...Array.from({ length: count }, (_, n) => payload(done.pushed + n)),
    );
    done.pushed += count;
    while ((await redis.admin.llen('queue:default')) > mostWaiting) await delay(5);
  }
}

function payload(n: number): string {
  const jid = n.toString(16).padStart(24, '0');
  const name = n % 2 === 0 ? 'Noop' : 'TrackedNoop';
  return `{"retry":true,"queue":"default","args":[${n},"some argument",{"a":1}],"class":"${name}","jid":"${jid}","created_at":1795466562.4969463}`;
}

/** Each is killed as soon as it holds jobs. While the queue is empty, none does: it is given some. */
async function killMany(): Promise<void> {
  for (; done.killed < kills; done.killed += 1) {
    const victim = startWorker(redis, contestant, {});
    processes.push(victim);
    await untilHolds(victim);
    const gone = once(victim, 'exit');
    victim.kill('SIGKILL');
    await gone;
    processes.splice(processes.indexOf(victim), 1);
  }
}

async function untilHolds(victim: ChildProcess): Promise<void> {
  const end = performance.now() + 60_000;
  for (let n = 0; ; n += 1) {
    const ids = (await redis.admin.smembers('tsq:instances')).filter((id) => id.includes(`-${victim.pid}-`));
    const held = ids[0] === undefined ? 0 : await redis.admin.scard(`tsq:jobs:${ids[0]}`);
    if (held > 0) {
      done.inHand += held;
      return;
    }
    if (performance.now() > end) throw new Error(`a worker took no job within a minute`);
    if (ids.length > 0 && done.pushed >= options.jobs)
      await redis.admin.lpush('queue:default', payload(-1 - n));
    else await delay(2);
  }
}

async function untilDrained(): Promise<void> {
  const end = performance.now() + 120_000;
  for (;;) {
    const dead = await redis.admin.exists('tsq:instances:dead');
    const instances = await redis.admin.scard('tsq:instances');
    const left = (await redis.admin.llen('queue:default')) + dead + Math.max(0, instances - 1);
    const held = (await redis.admin.keys('tsq:jobs:*')).length;
    if (left + held === 0) return;
    if (performance.now() > end) throw new Error(`after two minutes ${left} and ${held} are left`);
    await delay(50);
  }
}

function sample(samples: Sample[], { pid, exitCode }: ChildProcess, progress: number): void {
  if (pid === undefined || exitCode !== null) return;
  samples.push({ progress, megabytes: residentMegabytes(pid) });
}

async function report(seconds: number, samples: Readonly<Record<string, readonly Sample[]>>): Promise<void> {
  const count = (n: number) => n.toLocaleString('en');
  print(
    `${count(done.pushed)} jobs, ${count(done.restarted)} instances started and stopped, ${count(done.killed)} processes killed with ${count(done.inHand)} claims in hand: ${seconds.toFixed(0)} s`,
  );
  const keys = await redis.admin.keys('tsq:*');
  print(`keys left in the namespace: ${keys.length}`);
  const set = await redis.admin.scard('processes');
  let isFlat = true;
  if (options.jobs >= judgedFromJobs) {
    for (const [name, list] of Object.entries(samples)) {
      const verdict = judge(list);
      isFlat &&= verdict.isFlat;
      const { firstMegabytes: first, lastMegabytes: last } = verdict;
      print(
        `memory of the ${name}: ${first.toFixed(0)} MB after its warm-up, ${last.toFixed(0)} MB at the end`,
      );
    }
  }
  const failures = [
    ...(keys.length > 0 ? [`keys are left: ${keys.join(' ')}`] : []),
    ...(isFlat ? [] : ['memory grows']),
  ];
  print(
    failures.length === 0
      ? `nothing is left (Sidekiq's set of processes shows ${set} of the killed)`
      : failures.join('; '),
  );
  process.exitCode = failures.length === 0 ? 0 : 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
