/** `pnpm bench:costs`: the figures of docs/operations.md, each measured on a private Redis of its own. */
import { Command } from 'commander';
import type { Contestant } from '../contestant.js';
import { entrant } from '../entrants.js';
import { PrivateRedis } from '../private-redis.js';
import { claimCosts } from './claims.js';
import { beatCosts, idleCosts, lookCosts } from './fleet.js';
import { jobCosts } from './operations.js';

const options = new Command('bench:costs')
  .description('What tracking, heartbeats and recovery cost Redis')
  .option('--jobs <n>', 'jobs that are claimed, recovered and run', Number, 20_000)
  .option('--instances <n>', 'of the fleet that is looked at', Number, 1_000)
  .option('--processes <n>', 'tsq-worker processes that idle', Number, 4)
  .option('--seconds <n>', 'for which they idle', Number, 60)
  .parse()
  .opts<{ jobs: number; instances: number; processes: number; seconds: number }>();

const redis = await PrivateRedis.start();
try {
  await claimCosts(redis, 1_000, 80); // from here on Redis holds its scripts, and its tables have some size
  for (const argBytes of [80, 840]) await showClaims(argBytes);
  for (const contestant of ways()) await showJob(contestant);
  await showBeat();
  await showLook();
  for (const processes of new Set([1, options.processes])) await showIdle(processes);
} finally {
  await redis.stop();
}

/** Many jobs at once, as a busy process has them, and one at a time, where nothing rides together. */
function ways(): readonly Contestant[] {
  const of = (concurrency: number, jobs: number) =>
    (['tsq untracked', 'tsq tracked'] as const).map((name) => ({ ...entrant(name, { concurrency }), jobs }));
  const single = of(1, Math.ceil(options.jobs / 10)).map((contestant) => ({
    ...contestant,
    name: `${contestant.name}, one at a time`,
    command: [...contestant.command, '--claim-ahead', '0'],
  }));
  return [...of(10, options.jobs).map((each) => ({ ...each, name: `${each.name}, 10 at once` })), ...single];
}

async function showClaims(argBytes: number): Promise<void> {
  const costs = await claimCosts(redis, options.jobs, argBytes);
  print(`payloads of ${costs.payloadBytes} bytes, ${count(costs.jobs)} of them`);
  print(`  memory in the queue        ${count(costs.queuedBytesPerJob)} bytes a job`);
  print(`  memory while claimed       ${count(costs.claimedBytesPerJob)} bytes a job`);
  print(`  memory once recovered      ${count(costs.countedBytesPerJob)} bytes a job more than in the queue`);
  print(
    `  recovery of all            ${count(costs.recoveryMs)} ms, ${costs.recoveryMicrosecondsPerJob.toFixed(1)} us of Redis a job, longest script ${ms(costs.longestScriptMicroseconds)}`,
  );
}

async function showJob(contestant: Contestant): Promise<void> {
  const costs = await jobCosts(redis, contestant);
  print(costs.name);
  print(
    `  ${costs.scriptsPerJob.toFixed(2)} scripts, ${costs.commandsPerJob.toFixed(1)} commands in them, ${costs.roundTripsPerJob.toFixed(2)} round trips, ${count(costs.netBytesPerJob)} bytes on the wire, ${costs.redisMicrosecondsPerJob.toFixed(0)} us of Redis' CPU a job`,
  );
}

async function showBeat(): Promise<void> {
  const costs = await beatCosts(redis);
  print(
    `a beat: ${costs.microsecondsPerBeat.toFixed(0)} us of Redis, ${count(costs.netBytesPerBeat)} bytes on the wire (${count(costs.beats)} beats)`,
  );
}

async function showLook(): Promise<void> {
  const costs = await lookCosts(redis, options.instances);
  print(`a fleet of ${count(costs.instances)} instances`);
  print(`  a pass of the recoverer    ${ms(costs.passMicroseconds)} of Redis`);
  print(
    `  Recovery.inspect           ${ms(costs.inspectMicroseconds)} of Redis, ${costs.inspectMs.toFixed(1)} ms as who asks sees it`,
  );
}

async function showIdle(processes: number): Promise<void> {
  const idler = entrant('tsq untracked', { concurrency: 10 });
  const costs = await idleCosts(redis, idler, processes, options.seconds);
  print(`${count(processes)} idle tsq-worker, default settings, ${options.seconds} s`);
  print(
    `  ${costs.connectionsPerProcess.toFixed(1)} connections and ${count(costs.bytesPerProcess)} bytes of keys each`,
  );
  print(
    `  together ${costs.commandsPerSecond.toFixed(1)} commands and ${costs.readsPerSecond.toFixed(1)} requests a second, ${costs.redisCpuPercent.toFixed(2)} % of a core of Redis`,
  );
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function ms(microseconds: number): string {
  return `${(microseconds / 1_000).toFixed(2)} ms`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
