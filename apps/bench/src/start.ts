/** `pnpm bench:start`: the time from push to `perform` on an idle worker, Ruby and tsq in interleaved rounds. */
import { Command } from 'commander';
import { PrivateRedis } from './private-redis.js';
import { rubyProgram, tsqProgram } from './programs.js';
import { startLatencies } from './start-latency.js';

const options = new Command('bench:start')
  .description('Time from push to perform on an idle worker, Ruby Sidekiq beside tsq')
  .option('--rounds <n>', 'rounds', Number, 3)
  .option('--jobs <n>', 'jobs in a round', Number, 200)
  .parse()
  .opts<{ rounds: number; jobs: number }>();

const contestants = [
  { name: 'Ruby Sidekiq', command: rubyProgram(10) },
  { name: 'tsq', command: tsqProgram({ concurrency: 10 }) },
];
const redis = await PrivateRedis.start();
const latencies = new Map<string, number[]>();
try {
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const contestant of contestants) {
      const measured = await startLatencies(redis, contestant, options.jobs);
      latencies.set(contestant.name, [...(latencies.get(contestant.name) ?? []), ...measured]);
      process.stdout.write(`round ${round}  ${row(contestant.name, measured)}\n`);
    }
  }
} finally {
  await redis.stop();
}
process.stdout.write(`\nall ${options.rounds} rounds\n`);
for (const [name, measured] of latencies) process.stdout.write(`${row(name, measured)}\n`);

function row(name: string, microseconds: readonly number[]): string {
  const sorted = [...microseconds].sort((a, b) => a - b);
  const at = (share: number) =>
    ((sorted[Math.floor(sorted.length * share)] ?? Number.NaN) / 1_000).toFixed(2);
  return `${name.padEnd(14)} p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  (${sorted.length} jobs)`;
}
