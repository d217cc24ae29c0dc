/** Accounts for jobs by their bytes, where the jid says nothing: it is missing, doubled, or no text. */
import { hashOf } from '../history/bytes-hash.js';
import type { Stage } from '../stage/stage.js';
import { must } from './seen.js';

export interface Fate {
  /** How often a run of it came to its end. */
  readonly ends: number;
  /** Where its bytes stand in Redis, but for the fields that a retry writes. */
  readonly places: readonly string[];
}

/** As a producer would that checks nothing. The last one is fetched last. */
export async function pushRaw(stage: Stage, queue: string, jobs: readonly Buffer[]): Promise<void> {
  const redis = stage.connect();
  await redis.sadd('queues', queue);
  await redis.lpush(`queue:${queue}`, ...jobs);
}

/** What a claim took, by its token. */
export function tokensOf(stage: Stage, bytes: Buffer): readonly string[] {
  const hash = hashOf(bytes);
  return stage
    .lines()
    .flatMap((line) => (line.event === 'claim' ? line.jobs : []))
    .flatMap((job) => (job.hash === hash ? [job.token] : []));
}

export function endsOf(stage: Stage, bytes: Buffer): number {
  const tokens = new Set(tokensOf(stage, bytes));
  return stage.lines().filter((line) => line.event === 'end' && tokens.has(line.token)).length;
}

/** @throws for a job that is not in exactly one place, its end being one, and for a key that is left */
export async function accountByBytes(stage: Stage, jobs: readonly Buffer[]): Promise<readonly Fate[]> {
  await stage.stopWorkers();
  const { jobs: placed, keys } = await stage.finalState();
  must(keys.length === 0, `expected no key of the namespace, got ${keys.join(' ')}`);
  return jobs.map((bytes) => {
    const hash = hashOf(bytes);
    const places = placed.flatMap((job) => (job.hash === hash ? [job.place] : []));
    const ends = endsOf(stage, bytes);
    const text = bytes.subarray(0, 120).toString('latin1');
    must(ends + places.length === 1, `expected ${text} once; it ended ${ends} times, and is in [${places}]`);
    return { ends, places };
  });
}
