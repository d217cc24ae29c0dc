/**
 * What everybody did, outside the Redis under test: one line for each event, one write each to a file opened for appending, so
 * that lines of many processes never mix. Ruby's half writes the same lines.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';

/**
 * `push`: before it is sent. `done`, `fail`: the end of a run. `act`: an action on one job was answered, `detail` is its name and
 * what the API said. `resurrected`: Ruby's reschedule wrote an entry anew that was gone.
 */
export type JournalEvent = 'push' | 'done' | 'fail' | 'act' | 'resurrected';
export type Side = 'tsq' | 'ruby';

export interface JournalLine {
  readonly event: JournalEvent;
  readonly side: Side;
  readonly jid: string;
  readonly detail: string;
}

/** The environment variable with the journal's path: workers run in processes of their own. */
export const journalVariable = 'SOAK_JOURNAL_FILE';

let file: number | undefined;

/** @param path by default that of the environment */
export function note(
  event: JournalEvent,
  jid: string,
  detail = '-',
  path = process.env[journalVariable],
): void {
  if (path === undefined)
    throw new Error(`${journalVariable} is not set: the workers of the soak run only in it`);
  file ??= openSync(path, 'a');
  writeSync(file, `${event} tsq ${jid} ${detail}\n`);
}

export function readJournal(path: string): readonly JournalLine[] {
  return readFileSync(path, 'utf8').trim().split('\n').filter(Boolean).map(parseLine);
}

function parseLine(line: string): JournalLine {
  const [event, side, jid = '', ...detail] = line.split(' ');
  return { event: event as JournalEvent, side: side as Side, jid, detail: detail.join(' ') };
}
