/**
 * The books: each job that was pushed must have come to exactly one end. It was done, or lies in the dead set, or an action
 * deleted it. None is a loss; two are a double.
 *
 * One cause of doubles is known and is Ruby's: its reschedule writes an entry anew that somebody took in the same moment. The
 * journal says of which jobs that happened, and only those are excused.
 */
import type { JournalLine, Side } from './journal.js';

export interface Account {
  readonly pushed: Readonly<Record<Side, number>>;
  /** Jobs, by who did them. */
  readonly done: Readonly<Record<Side, number>>;
  readonly failedRuns: number;
  readonly dead: number;
  readonly deleted: number;
  /** Doubles that Ruby's reschedule made. */
  readonly excused: readonly string[];
  readonly lost: readonly string[];
  /** With their ends. */
  readonly doubled: readonly string[];
  /** Jobs that nobody pushed. */
  readonly unknown: readonly string[];
}

/** @param dead jids in the dead set, one for each entry */
export function accountFor(journal: readonly JournalLine[], dead: readonly string[]): Account {
  const pushes = journal.filter(({ event }) => event === 'push');
  const done = journal.filter(({ event }) => event === 'done');
  const deletions = journal.filter(({ event, detail }) => event === 'act' && detail === 'delete true');
  const resurrected = new Set(journal.filter(({ event }) => event === 'resurrected').map(({ jid }) => jid));
  const ends = new Map<string, string[]>(pushes.map(({ jid }) => [jid, []]));
  const unknown: string[] = [];
  const end = (jid: string, how: string) => (ends.get(jid) ?? unknown).push(ends.has(jid) ? how : jid);
  for (const { jid, side } of done) end(jid, `done by ${side}`);
  for (const jid of dead) end(jid, 'dead');
  for (const { jid, side } of deletions) end(jid, `deleted by ${side}`);
  const several = [...ends].filter(([, how]) => how.length > 1);
  return {
    pushed: bySide(pushes),
    done: bySide(done),
    failedRuns: journal.filter(({ event }) => event === 'fail').length,
    dead: dead.length,
    deleted: deletions.length,
    lost: [...ends].filter(([, how]) => how.length === 0).map(([jid]) => jid),
    doubled: several
      .filter(([jid]) => !resurrected.has(jid))
      .map(([jid, how]) => `${jid}: ${how.join(', ')}`),
    excused: several.filter(([jid]) => resurrected.has(jid)).map(([jid]) => jid),
    unknown,
  };
}

function bySide(lines: readonly JournalLine[]): Readonly<Record<Side, number>> {
  const ruby = lines.filter(({ side }) => side === 'ruby').length;
  return { tsq: lines.length - ruby, ruby };
}
