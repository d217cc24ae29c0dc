/** `pnpm bench:drain`: Ruby's Sidekiq and tsq on no-op jobs. */
import { Command } from 'commander';
import { contestants } from './contestant.js';
import { drainInRounds } from './drain-rounds.js';

const options = new Command('bench:drain')
  .description('Drains no-op jobs with Ruby Sidekiq and tsq in interleaved rounds')
  .option('--rounds <n>', 'rounds', Number, 5)
  .option('--concurrency <n>', 'jobs at once', Number, 10)
  .option('--ruby-jobs <n>', 'jobs in a drain of Ruby', Number, 20_000)
  .option('--tsq-jobs <n>', 'jobs in a drain of tsq', Number, 200_000)
  .parse()
  .opts<{ rounds: number; concurrency: number; rubyJobs: number; tsqJobs: number }>();

await drainInRounds({
  ...options,
  contestants: contestants(options),
  columns: (median) => [
    `${Math.round(median((r) => r.drain.jobsPerSecond)).toLocaleString('en')} jobs/s`.padStart(16),
    `${median((r) => r.ratio).toFixed(1)} x Ruby`.padStart(12),
    `${median((r) => r.drain.workerMicrosecondsPerJob).toFixed(1)} us/job`.padStart(14),
    `${median((r) => r.drain.readsPerJob).toFixed(3)} reads/job`.padStart(18),
  ],
});
