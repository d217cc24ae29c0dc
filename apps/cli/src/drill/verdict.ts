/**
 * Decides, from what the jobs wrote outside Redis and from what lies in Redis at the end, whether a drill has shown what it was
 * to show. Pure, so that its tests can hand it histories of everything that may go wrong.
 */
import type { Run } from './journal.js';

export interface Kill {
  readonly pid: number;
  readonly atMs: number;
  /** Jobs that the process held, by Redis' books. */
  readonly held: number;
}

export interface History {
  readonly jobs: number;
  readonly runs: readonly Run[];
  readonly kill: Kill;
  /** When Redis' books said that the dead process holds nothing any more, and its recoverer that it put the jobs back. */
  readonly putBackAtMs: number | undefined;
  /** Jobs that did not end, and lie in a queue, a claim or a set of Sidekiq still. */
  readonly waiting: ReadonlySet<number>;
}

export interface Verdict {
  /** `inconclusive`: nothing was lost, but not all jobs came to their end, or none was in flight at the kill. */
  readonly verdict: 'passed' | 'failed' | 'inconclusive';
  readonly jobs: number;
  readonly ended: number;
  /** Neither ended nor anywhere in Redis. */
  readonly lost: number;
  /** Not ended, and still in Redis. */
  readonly unfinished: number;
  /** Ended more than once. */
  readonly duplicated: number;
  /** Begun by the killed process and not ended by it. */
  readonly inFlight: number;
  readonly held: number;
  readonly startedTwice: number;
  /** From the kill until the jobs were back on their queue. */
  readonly putBackSeconds: number | undefined;
  /** From the kill until the first and the last job of the killed process had started again; undefined: not all of them did. */
  readonly startedAgainSeconds: { readonly first: number; readonly last: number } | undefined;
}

export function verdictOf(history: History): Verdict {
  const { jobs, runs, kill, putBackAtMs, waiting } = history;
  const all = Array.from({ length: jobs }, (_, job) => job);
  const ends = countBy(runs.filter(({ endedAtMs }) => endedAtMs !== undefined));
  const unended = all.filter((job) => !ends.has(job));
  const lost = unended.filter((job) => !waiting.has(job)).length;
  const duplicated = [...ends.values()].filter((times) => times > 1).length;
  const orphans = inFlightOf(runs, kill.pid);
  const again = startedAgain(orphans, runs, kill);
  const isShown = unended.length === 0 && orphans.length > 0 && putBackAtMs !== undefined;
  return {
    verdict: lost + duplicated > 0 ? 'failed' : isShown ? 'passed' : 'inconclusive',
    ...{ jobs, ended: ends.size, lost, unfinished: unended.length - lost, duplicated },
    inFlight: orphans.length,
    held: kill.held,
    startedTwice: [...countBy(runs).values()].filter((times) => times > 1).length,
    // It was looked for now and then: a job that runs again was back.
    putBackSeconds: putBackAtMs && Math.min(secondsFrom(kill.atMs, putBackAtMs), again?.last ?? Infinity),
    startedAgainSeconds: again,
  };
}

/** What a process has begun and not ended. */
export function inFlightOf(runs: readonly Run[], pid: number): readonly Run[] {
  return runs.filter((run) => run.pid === pid && run.endedAtMs === undefined);
}

function startedAgain(orphans: readonly Run[], runs: readonly Run[], kill: Kill) {
  const starts = orphans.map(({ job }) => {
    const again = runs.find((run) => run.job === job && run.pid !== kill.pid && run.startedAtMs > kill.atMs);
    return again?.startedAtMs;
  });
  const known = starts.filter((atMs) => atMs !== undefined);
  if (known.length < starts.length || known.length === 0) return undefined;
  return {
    first: secondsFrom(kill.atMs, Math.min(...known)),
    last: secondsFrom(kill.atMs, Math.max(...known)),
  };
}

function countBy(runs: readonly Run[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { job } of runs) counts.set(job, (counts.get(job) ?? 0) + 1);
  return counts;
}

/** To the millisecond: more is noise. */
function secondsFrom(fromMs: number, toMs: number): number {
  return Math.round(toMs - fromMs) / 1_000;
}
