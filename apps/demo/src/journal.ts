/**
 * What the demo's jobs did, outside Redis: one line at the start and one at the end of each run, so that the closing
 * summary does not rest on the word of what it judges. A line is one write to a file opened for appending: kill -9 of the
 * writer loses none.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';

export type JournalEvent = 'start' | 'end' | 'fail';

export interface JournalLine {
  readonly event: JournalEvent;
  readonly jid: string;
  readonly pid: number;
}

/** The environment variable with the journal's path: the workers run in processes of their own. */
const journalVariable = 'TSQ_DEMO_JOURNAL';

let file: number | undefined;

export function note(event: JournalEvent, jid: string): void {
  const path = process.env[journalVariable];
  if (path === undefined) return;
  file ??= openSync(path, 'a');
  writeSync(file, `${event} ${jid} ${process.pid}\n`);
}

export class Journal {
  constructor(private readonly path: string) {}

  lines(): readonly JournalLine[] {
    return readFileSync(this.path, 'utf8').trim().split('\n').filter(Boolean).map(parseLine);
  }

  /** Jobs that ran to their end, each once however often it ran. */
  done(): ReadonlySet<string> {
    return new Set(this.jidsOf('end'));
  }

  failed(): ReadonlySet<string> {
    return new Set(this.jidsOf('fail'));
  }

  /** Jobs that a process had begun and not ended. */
  inFlightOf(pid: number): readonly string[] {
    const own = this.lines().filter((line) => line.pid === pid);
    const ended = new Set(own.filter((line) => line.event !== 'start').map((line) => line.jid));
    return own.filter((line) => line.event === 'start' && !ended.has(line.jid)).map((line) => line.jid);
  }

  private jidsOf(event: JournalEvent): readonly string[] {
    return this.lines()
      .filter((line) => line.event === event)
      .map((line) => line.jid);
  }
}

function parseLine(line: string): JournalLine {
  const [event = '', jid = '', pid = ''] = line.split(' ');
  return { event: event as JournalEvent, jid, pid: Number(pid) };
}
