/**
 * `SCORE-JID`, by which Sidekiq's pages name an entry of a sorted set. The score's text is whatever the writer's language
 * makes of a double (`1795466562.25`, `1.79546656225e9`, `1795466562`), so it is compared as a number.
 */
import { TsqError } from '../errors.js';

export interface EntryId {
  /** As text, to be handed to Redis. */
  readonly score: string;
  /** '' for an entry that has none. */
  readonly jid: string;
}

/** Up to the first `-` that is not a sign of the number. */
const shape = /^(-?(?:inf|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?))-(.*)$/s;

/** The number that a score's text means; Redis writes the infinite ones `inf` and `-inf`. */
export function scoreValue(score: string): number {
  return Number(score.replace('inf', 'Infinity'));
}

export function entryId(score: string, jid: string | undefined): string {
  return `${score}-${jid ?? ''}`;
}

/** @throws TSQ_ENTRY_ID_INVALID */
export function parseEntryId(id: string): EntryId {
  const [, score, jid] = shape.exec(id) ?? [];
  if (score !== undefined && jid !== undefined) return { score, jid };
  throw new TsqError(
    'TSQ_ENTRY_ID_INVALID',
    `id of an entry: expected SCORE-JID, such as 1795466562.25-4be907bd80d98464f53e1846, got ${JSON.stringify(id)}`,
  );
}
