/**
 * Drains in interleaved rounds: what else the machine does in a round falls on every contestant of it alike. So each is compared
 * with the first one of its own round, and the median of these ratios is the figure. A drain beside which others used too much of
 * the machine says nothing, and is repeated.
 */
import type { Contestant } from './contestant.js';
import { type Drain, drain } from './drain.js';
import { PrivateRedis } from './private-redis.js';

/** A drain, and its jobs per second as a multiple of those of the first in the same round. */
export interface ComparedDrain {
  readonly drain: Drain;
  readonly ratio: number;
}

/** The median of what is picked of each drain. */
export type Median = (pick: (result: ComparedDrain) => number) => number;

export interface DrainRounds {
  readonly rounds: number;
  readonly contestants: readonly Contestant[];
  /** The columns of a row behind the name, as wide as they are to be. */
  readonly columns: (median: Median) => readonly string[];
}

/** Beside a drain, others may use so much of a core. */
const mostOtherCores = 0.3;
const mostRepeats = 3;

/** Prints a row for each drain as it ends, and the medians at the end, which it answers by the contestants' names. */
export async function drainInRounds(
  settings: DrainRounds,
): Promise<ReadonlyMap<string, readonly ComparedDrain[]>> {
  const { rounds, contestants, columns } = settings;
  const titles = contestants.map(titleOf);
  const width = Math.max(...titles.map((title) => title.length)) + 1;
  const row = (title: string, results: readonly ComparedDrain[]) =>
    `${title.padEnd(width)}${columns(medianOf(results)).join('')}\n`;
  const results = new Map<string, readonly ComparedDrain[]>();
  for (let round = 1; round <= rounds; round += 1) {
    for await (const result of oneRound(contestants)) {
      const title = titleOf(result.drain);
      results.set(title, [...(results.get(title) ?? []), result]);
      process.stdout.write(`round ${round}  ${row(title, [result])}`);
    }
  }
  process.stdout.write(`\nmedians of ${rounds} rounds\n`);
  for (const [title, all] of results) process.stdout.write(row(title, all));
  return results;
}

async function* oneRound(contestants: readonly Contestant[]): AsyncGenerator<ComparedDrain, void, undefined> {
  let first: Drain | undefined;
  for (const contestant of contestants) {
    const result = await undisturbed(contestant);
    first ??= result;
    yield { drain: result, ratio: result.jobsPerSecond / first.jobsPerSecond };
  }
}

/** A Redis of its own for each: what one left behind in its memory is not the next one's. */
async function undisturbed(contestant: Contestant): Promise<Drain> {
  for (let repeat = 0; ; repeat += 1) {
    const redis = await PrivateRedis.start();
    try {
      const result = await drain(redis, contestant);
      if (result.otherCores <= mostOtherCores || repeat === mostRepeats) return result;
      process.stdout.write(
        `          ${titleOf(contestant)}: others used ${result.otherCores.toFixed(1)} cores; measured again\n`,
      );
    } finally {
      await redis.stop();
    }
  }
}

function titleOf({ name, concurrency }: { readonly name: string; readonly concurrency: number }): string {
  return `${name} c${concurrency}`;
}

function medianOf(results: readonly ComparedDrain[]): Median {
  return (pick) => {
    const sorted = results.map(pick).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
}
