/** `pnpm bench:only-known`: what `--only-known` costs beside the plain claim. */
import { Command } from 'commander';
import type { Contestant } from './contestant.js';
import { drainInRounds } from './drain-rounds.js';
import { SidekiqLine } from './lines/sidekiq-line.js';
import { tsqProgram } from './programs.js';

const options = new Command('bench:only-known')
  .description('Drains no-op jobs with the plain claim and with --only-known in interleaved rounds')
  .option('--rounds <n>', 'rounds', Number, 5)
  .option('--concurrency <n>', 'jobs at once', Number, 10)
  .option('--jobs <n>', 'jobs in a drain', Number, 100_000)
  .parse()
  .opts<{ rounds: number; concurrency: number; jobs: number }>();

const { rounds, concurrency, jobs } = options;

/** Jobs of other classes stand in front of the line, and stay there. */
function contestant(name: string, flags: readonly string[], othersInFront = 0): Contestant {
  const line = { jobClass: 'Noop', othersInFront };
  const command = tsqProgram({ concurrency, flags });
  return { name, jobs, concurrency, command, line: ({ admin }) => new SidekiqLine(admin, line) };
}

await drainInRounds({
  rounds,
  contestants: [
    contestant('plain claim', []),
    contestant('--only-known', ['--only-known']),
    ...[10, 100, 900].map((others) => contestant(`  behind ${others} others`, ['--only-known'], others)),
  ],
  columns: (median) => [
    `${Math.round(median((r) => r.drain.jobsPerSecond)).toLocaleString('en')} jobs/s`.padStart(16),
    `${median((r) => r.ratio).toFixed(2)} x plain`.padStart(14),
    `worker ${median((r) => r.drain.workerMicrosecondsPerJob).toFixed(1)} us/job`.padStart(22),
    `Redis ${median((r) => r.drain.redisMicrosecondsPerJob).toFixed(1)} us/job`.padStart(21),
  ],
});
