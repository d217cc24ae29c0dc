/**
 * One action on many entries of a set, page by page: a million of them neither fill the memory nor keep Redis from others. Each
 * page is a step of its own, so a sweep may be ended between any two, by a crash too, and run again: what it did stays done,
 * and what it did not do is still there.
 *
 * It ends: it looks at as many entries as the set held when it began, for what it retries may fail and come back meanwhile.
 */
import type { Move } from './entry-moves.js';
import type { SortedEntry } from './sorted-entry.js';

/** At most so many entries go through one run of a script. */
const pageSize = 100;

export interface SweepOptions {
  /** Only the entries of which this is true. */
  readonly where?: (entry: SortedEntry) => boolean;
  /** Called after each page, with the counts so far. */
  readonly onProgress?: (counts: SweepCounts) => void;
  /** Ends the sweep after the page that is under way. */
  readonly signal?: AbortSignal;
}

export interface SweepCounts {
  /** Entries that the action was done to. */
  readonly done: number;
  /** Somebody else was first. */
  readonly gone: number;
  /** No payloads: they have no queue to go to, and were left where they are. */
  readonly unreadable: number;
}

export interface Sweepable {
  size(): Promise<number>;
  /** At most `limit` entries behind `after`, the earliest first. */
  readPage(limit: number, after: SortedEntry | undefined): Promise<readonly SortedEntry[]>;
}

/** @param isDone of an entry that the sweep itself has put where it meets it again */
export async function sweep(
  set: Sweepable,
  move: Move,
  options: SweepOptions,
  isDone: (entry: SortedEntry) => boolean = () => false,
): Promise<SweepCounts> {
  const counts = { done: 0, gone: 0, unreadable: 0 };
  let left = await set.size();
  let last: SortedEntry | undefined;
  while (left > 0 && options.signal?.aborted !== true) {
    const page = await set.readPage(Math.min(left, pageSize), last);
    if (page.length === 0) break;
    last = page.at(-1);
    const fresh = page.filter((entry) => !isDone(entry));
    left -= fresh.length;
    const chosen = options.where === undefined ? fresh : fresh.filter(options.where);
    const outcomes = chosen.length === 0 ? [] : await move(chosen.map(({ bytes }) => bytes));
    for (const outcome of outcomes) counts[outcome] += 1;
    options.onProgress?.({ ...counts });
  }
  return counts;
}
