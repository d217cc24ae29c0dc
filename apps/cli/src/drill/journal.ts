/**
 * What the drill's jobs did, outside Redis, so that the verdict does not rest on the word of what it judges. Both workers
 * append to one file, a line for the start and one for the end of each run; a line is one write, so that kill -9 of the
 * writer loses none.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';

export interface Run {
  /** Which job, from 0 on. */
  readonly job: number;
  readonly pid: number;
  /** Of the machine's clock that never jumps; undefined end: it did not come to one. */
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
}

export type JournalEvent = 'start' | 'end';

export class JournalWriter {
  private readonly file: number;

  constructor(path: string) {
    this.file = openSync(path, 'a');
  }

  /** @throws when the disk is full: then the job fails, and is not counted as ended */
  note(event: JournalEvent, job: number): void {
    writeSync(this.file, `${event} ${job} ${process.pid} ${machineMs()}\n`);
  }
}

/** @returns in the order of their starts */
export function readRuns(path: string): readonly Run[] {
  return runsOf(readFileSync(path, 'utf8'));
}

/** A process runs a job once at a time, so an end belongs to the last start of the same job and process. */
export function runsOf(text: string): readonly Run[] {
  const runs: Run[] = [];
  const open = new Map<string, number>();
  // A line without its end is being written.
  for (const line of text.split('\n').slice(0, -1)) {
    const [event, job, pid, atMs] = line.split(' ');
    const key = `${job} ${pid}`;
    const at = open.get(key);
    if (event === 'start') {
      open.set(key, runs.length);
      runs.push({ job: Number(job), pid: Number(pid), startedAtMs: Number(atMs), endedAtMs: undefined });
    } else if (at !== undefined) {
      runs[at] = { ...(runs[at] as Run), endedAtMs: Number(atMs) };
      open.delete(key);
    }
  }
  return runs;
}

/** Comparable between the processes of one machine. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
