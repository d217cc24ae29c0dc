/**
 * What jobs did, outside the Redis under test: one line for each event, one write each to a file opened for appending, so
 * that kill -9 of a worker loses none.
 */
import { existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';

export interface JournalLine {
  readonly event: string;
  readonly jid: string;
  readonly pid: number;
  /** What the event says of itself. */
  readonly text: string;
}

/** The environment variable with the journal's path: workers run in processes of their own. */
export const journalVariable = 'TSQ_TEST_JOURNAL';

let file: number | undefined;

/** Called by the workers. */
export function note(event: string, jid: string, text = ''): void {
  file ??= openSync(process.env[journalVariable] ?? '/dev/null', 'a');
  writeSync(file, `${JSON.stringify({ event, jid, pid: process.pid, text })}\n`);
}

/** Whether the test has opened the gate, for jobs that wait for it. */
export function isGateOpen(): boolean {
  return existsSync(gateOf(process.env[journalVariable] ?? '/dev/null'));
}

function gateOf(path: string): string {
  return `${path}.gate`;
}

/** Read by the tests. */
export class Journal {
  constructor(readonly path: string) {
    writeFileSync(path, '');
  }

  openGate(): void {
    writeFileSync(gateOf(this.path), '');
  }

  lines(event?: string): readonly JournalLine[] {
    const all = readFileSync(this.path, 'utf8').trim().split('\n').filter(Boolean);
    const lines = all.map((line) => JSON.parse(line) as JournalLine);
    return event === undefined ? lines : lines.filter((line) => line.event === event);
  }

  jids(event: string): readonly string[] {
    return this.lines(event).map((line) => line.jid);
  }
}
