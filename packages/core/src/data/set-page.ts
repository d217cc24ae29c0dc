/** set-page.lua and set-slice.lua, typed: the entries behind a given one, and those at given positions. */
import type { Redis } from 'ioredis';
import { LuaScript } from '../lua-script.js';
import { buffersIn } from './replies.js';

const pageScript = new LuaScript(new URL('./set-page.lua', import.meta.url));
const sliceScript = new LuaScript(new URL('./set-slice.lua', import.meta.url));

export type EntryOrder = 'earliest-first' | 'latest-first';

/** An entry of a sorted set as Redis gave it. */
export interface ScoredBytes {
  readonly bytes: Buffer;
  /** Not made a number: its text is what finds it again. */
  readonly score: string;
}

/** At most `limit` entries behind `after`; without it the first ones. */
export async function setPage(
  redis: Redis,
  key: string,
  order: EntryOrder,
  limit: number,
  after?: ScoredBytes,
): Promise<readonly ScoredBytes[]> {
  const cursor = after === undefined ? [] : [after.score, after.bytes];
  return scoredBytes(await pageScript.run(redis, [key], [order, limit, ...cursor]));
}

/** The entries at the positions from `first` to `last`, both included, and how many the set has. */
export async function setSlice(
  redis: Redis,
  key: string,
  order: EntryOrder,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<{ readonly size: number; readonly entries: readonly ScoredBytes[] }> {
  const [size, ...entries] = buffersIn(await sliceScript.run(redis, [key], [order, first, last]));
  return { size: Number(size?.toString()), entries: scoredBytes(entries) };
}

/** Of a reply that has bytes and score in turn. */
export function scoredBytes(reply: unknown): readonly ScoredBytes[] {
  const items = buffersIn(reply);
  return items.flatMap((bytes, at) => {
    const score = items[at + 1];
    return at % 2 === 0 && score !== undefined ? [{ bytes, score: score.toString() }] : [];
  });
}
