/**
 * Drains in interleaved rounds: what else the machine does in a round falls on every contestant of it alike. So each is compared
 * with the first one of its own round, and the median of these ratios is the figure.
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
  /** Of the contestants; for the heading alone. */
  readonly concurrency: number;
  readonly contestants: readonly Contestant[];
  /** The columns of a row behind the name, as wide as they are to be. */
  readonly columns: (median: Median) => readonly string[];
}

/** Prints a row for each drain as it ends, and the medians at the end. */
export async function drainInRounds(settings: DrainRounds): Promise<void> {
  const { rounds, concurrency, contestants, columns } = settings;
  const width = Math.max(...contestants.map(({ name }) => name.length)) + 1;
  const row = (name: string, results: readonly ComparedDrain[]) =>
    `${name.padEnd(width)}${columns(medianOf(results)).join('')}\n`;
  const byName = new Map<string, readonly ComparedDrain[]>();
  const redis = await PrivateRedis.start();
  try {
    for (let round = 1; round <= rounds; round += 1) {
      for await (const result of oneRound(redis, contestants)) {
        const { name } = result.drain;
        byName.set(name, [...(byName.get(name) ?? []), result]);
        process.stdout.write(`round ${round}  ${row(name, [result])}`);
      }
    }
  } finally {
    await redis.stop();
  }
  process.stdout.write(`\nmedians of ${rounds} rounds, concurrency ${concurrency}\n`);
  for (const [name, results] of byName) process.stdout.write(row(name, results));
}

async function* oneRound(
  redis: PrivateRedis,
  contestants: readonly Contestant[],
): AsyncGenerator<ComparedDrain, void, undefined> {
  let first: Drain | undefined;
  for (const contestant of contestants) {
    const result = await drain(redis, contestant);
    first ??= result;
    yield { drain: result, ratio: result.jobsPerSecond / first.jobsPerSecond };
  }
}

function medianOf(results: readonly ComparedDrain[]): Median {
  return (pick) => {
    const sorted = results.map(pick).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
}
