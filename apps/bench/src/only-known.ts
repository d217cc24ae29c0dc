/** `pnpm bench:only-known`: what `--only-known` costs beside the plain claim. */
import { Command } from 'commander';
import { onlyKnownContestants } from './contestant.js';
import { drainInRounds } from './drain-rounds.js';

const options = new Command('bench:only-known')
  .description('Drains no-op jobs with the plain claim and with --only-known in interleaved rounds')
  .option('--rounds <n>', 'rounds', Number, 5)
  .option('--concurrency <n>', 'jobs at once', Number, 10)
  .option('--jobs <n>', 'jobs in a drain', Number, 100_000)
  .parse()
  .opts<{ rounds: number; concurrency: number; jobs: number }>();

await drainInRounds({
  ...options,
  contestants: onlyKnownContestants({ ...options, rubyJobs: 0, tsqJobs: options.jobs }),
  columns: (median) => [
    `${Math.round(median((r) => r.drain.jobsPerSecond)).toLocaleString('en')} jobs/s`.padStart(16),
    `${median((r) => r.ratio).toFixed(2)} x plain`.padStart(14),
    `worker ${median((r) => r.drain.workerMicrosecondsPerJob).toFixed(1)} us/job`.padStart(22),
    `Redis ${median((r) => r.drain.redisMicrosecondsPerJob).toFixed(1)} us/job`.padStart(21),
  ],
});
