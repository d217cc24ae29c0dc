/** `pnpm bench:only-known`: what `--only-known` costs beside the plain claim, in interleaved rounds. */
import { Command } from 'commander';
import { onlyKnownContestants } from './contestant.js';
import { type Drain, drain } from './drain.js';
import { PrivateRedis } from './private-redis.js';

const options = new Command('bench:only-known')
  .description('Drains no-op jobs with the plain claim and with --only-known in interleaved rounds')
  .option('--rounds <n>', 'rounds', Number, 5)
  .option('--concurrency <n>', 'jobs at once', Number, 10)
  .option('--jobs <n>', 'jobs in a drain', Number, 100_000)
  .parse()
  .opts<{ rounds: number; concurrency: number; jobs: number }>();

const sizes = { concurrency: options.concurrency, rubyJobs: 0, tsqJobs: options.jobs };
const redis = await PrivateRedis.start();
const drains = new Map<string, { drain: Drain; ratio: number }[]>();
try {
  for (let round = 1; round <= options.rounds; round += 1) {
    let plain: Drain | undefined;
    for (const contestant of onlyKnownContestants(sizes)) {
      const result = await drain(redis, contestant);
      plain ??= result;
      const ratio = result.jobsPerSecond / plain.jobsPerSecond;
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
  const middle = (pick: (result: { drain: Drain; ratio: number }) => number) => {
    const sorted = results.map(pick).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  const figures = [
    `${Math.round(middle((r) => r.drain.jobsPerSecond)).toLocaleString('en')} jobs/s`.padStart(16),
    `${middle((r) => r.ratio).toFixed(2)} x plain`.padStart(14),
    `worker ${middle((r) => r.drain.workerMicrosecondsPerJob).toFixed(1)} us/job`.padStart(22),
    `Redis ${middle((r) => r.drain.redisMicrosecondsPerJob).toFixed(1)} us/job`.padStart(21),
  ];
  return `${name.padEnd(20)}${figures.join('')}`;
}
