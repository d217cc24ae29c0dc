/** `pnpm bench:drain`: interleaved rounds, ratios within a round, their medians. */
import { Command } from 'commander';
import { contestants } from './contestant.js';
import { type Drain, drain } from './drain.js';
import { PrivateRedis } from './private-redis.js';

const program = new Command('bench:drain')
  .description('Drains no-op jobs with Ruby Sidekiq and tsq in interleaved rounds')
  .option('--rounds <n>', 'rounds', Number, 5)
  .option('--concurrency <n>', 'jobs at once', Number, 10)
  .option('--ruby-jobs <n>', 'jobs in a drain of Ruby', Number, 20_000)
  .option('--tsq-jobs <n>', 'jobs in a drain of tsq', Number, 200_000)
  .parse();
const options = program.opts<{ rounds: number; concurrency: number; rubyJobs: number; tsqJobs: number }>();

const redis = await PrivateRedis.start();
const drains = new Map<string, { drain: Drain; ratio: number }[]>();
try {
  for (let round = 1; round <= options.rounds; round += 1) {
    let ruby: Drain | undefined;
    for (const contestant of contestants(options)) {
      const result = await drain(redis, contestant);
      ruby ??= result;
      const ratio = result.jobsPerSecond / ruby.jobsPerSecond;
      drains.set(result.name, [...(drains.get(result.name) ?? []), { drain: result, ratio }]);
      process.stdout.write(`round ${round}  ${row(result.name, [{ drain: result, ratio }])}\n`);
    }
  }
} finally {
  await redis.stop();
}
process.stdout.write(`\nmedians of ${options.rounds} rounds, concurrency ${options.concurrency}\n`);
for (const [name, results] of drains) process.stdout.write(`${row(name, results)}\n`);

function row(name: string, results: readonly { drain: Drain; ratio: number }[]): string {
  const middle = (pick: (result: { drain: Drain; ratio: number }) => number) => median(results.map(pick));
  const figures = [
    `${Math.round(middle((r) => r.drain.jobsPerSecond)).toLocaleString('en')} jobs/s`.padStart(16),
    `${middle((r) => r.ratio).toFixed(1)} x Ruby`.padStart(12),
    `${middle((r) => r.drain.workerMicrosecondsPerJob).toFixed(1)} us/job`.padStart(14),
    `${middle((r) => r.drain.readsPerJob).toFixed(3)} reads/job`.padStart(18),
  ];
  return `${name.padEnd(14)}${figures.join('')}`;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
