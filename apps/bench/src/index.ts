/** `pnpm bench:drain`: tsq beside its peers and the limits, on no-op jobs. */
import { Command, Option } from 'commander';
import { drainInRounds } from './drain-rounds.js';
import { type EntrantName, entrant, entrantNames } from './entrants.js';

interface Options {
  readonly rounds: number;
  readonly concurrency: readonly number[];
  readonly scale: number;
  readonly only: readonly EntrantName[];
}

const list =
  <T>(each: (text: string) => T) =>
  (text: string) =>
    text.split(',').map((part) => each(part.trim()));

const options = new Command('bench:drain')
  .description('Drains no-op jobs with tsq, its peers and the limits in interleaved rounds')
  .option('--rounds <n>', 'rounds', Number, 5)
  .option('--concurrency <list>', 'jobs at once', list(Number), [10])
  .option('--scale <x>', 'of the jobs in each drain', Number, 1)
  .addOption(
    new Option('--only <list>', `who takes part; the ratios are to the first: ${entrantNames.join(', ')}`)
      .argParser(list((name) => name as EntrantName))
      .default(['ruby', 'tsq untracked', 'tsq tracked'], 'ruby, tsq untracked, tsq tracked'),
  )
  .parse()
  .opts<Options>();

const { rounds, concurrency, scale, only } = options;
await drainInRounds({
  rounds,
  contestants: concurrency.flatMap((slots) =>
    only.map((name) => entrant(name, { concurrency: slots, scale })),
  ),
  columns: (median) => [
    `${Math.round(median((r) => r.drain.jobsPerSecond)).toLocaleString('en')} jobs/s`.padStart(16),
    `${median((r) => r.ratio).toFixed(2)} x`.padStart(9),
    `worker ${median((r) => r.drain.workerMicrosecondsPerJob).toFixed(1)} us`.padStart(17),
    `Redis ${median((r) => r.drain.redisMicrosecondsPerJob).toFixed(1)} us`.padStart(15),
    `${median((r) => r.drain.commandsPerJob).toFixed(2)} commands`.padStart(15),
    `${median((r) => r.drain.readsPerJob).toFixed(3)} reads`.padStart(14),
    `${Math.round(median((r) => r.drain.peakMiB))} MiB`.padStart(9),
    `(${median((r) => r.drain.otherCores).toFixed(1)} cores other)`,
  ],
});
