/** `pnpm soak`: 0 when every job is accounted for, 1 when one is lost or doubled, 2 when the soak can not be run. */
import { spawnSync } from 'node:child_process';
import { Command } from 'commander';
import { reportOf } from './report.js';
import { soak } from './soak.js';

const options = new Command('soak')
  .description(
    "Ruby's Sidekiq and tsq on the same queues, with random actions from both sides; every job is accounted for",
  )
  .option('--minutes <n>', 'how long jobs are pushed', Number, 10)
  .option('--seed <n>', 'of the random choices', Number, Math.floor(Math.random() * 1e6))
  .option('--jobs-per-second <n>', 'of each of the two producers', Number, 30)
  .parse()
  .opts<{ minutes: number; seed: number; jobsPerSecond: number }>();

const started = performance.now();

function say(line: string): void {
  const seconds = ((performance.now() - started) / 1_000).toFixed(0).padStart(4);
  process.stdout.write(`${seconds} s  ${line}\n`);
}

async function main(): Promise<number> {
  const probe = spawnSync('ruby', ['-e', 'require "sidekiq"; print Sidekiq::VERSION'], { encoding: 'utf8' });
  if (probe.status !== 0) {
    say("the soak needs Ruby's Sidekiq (Debian, Ubuntu: apt-get install ruby-sidekiq)");
    return 2;
  }
  say(`Sidekiq ${probe.stdout} and tsq for ${options.minutes} minutes, seed ${options.seed}`);
  const { account, journal, failures } = await soak({ ...options, say });
  process.stdout.write(`\n${reportOf(account, journal)}\n`);
  for (const failure of failures) process.stdout.write(`${failure}\n`);
  const wrong = account.lost.length + account.doubled.length + account.unknown.length + failures.length;
  process.stdout.write(wrong === 0 ? 'every job is accounted for\n' : `${wrong} things are wrong\n`);
  return wrong === 0 ? 0 : 1;
}

process.exitCode = await main();
