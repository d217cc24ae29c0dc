/** Writes history lines: each at once, by one write, so that the writer may be killed right after it. */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { HistoryEvent } from './line.js';

/** The environment variable with the folder of the histories: workers run in processes of their own. */
export const historyVariable = 'CHAOS_HISTORY';

export function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

export class HistoryWriter {
  private readonly file: number;
  private count = 0;

  constructor(folder: string) {
    this.file = openSync(join(folder, `${process.pid}-${threadId}.jsonl`), 'a');
  }

  note(event: HistoryEvent): void {
    this.count += 1;
    writeSync(
      this.file,
      `${JSON.stringify({ at: nowMicros(), n: this.count, pid: process.pid, ...event })}\n`,
    );
  }
}

let own: HistoryWriter | undefined;

/** Of a process that the stage has started. */
export function note(event: HistoryEvent): void {
  const folder = process.env[historyVariable];
  if (folder === undefined)
    throw new Error(`${historyVariable} is not set: these workers run only in the chaos suite`);
  own ??= new HistoryWriter(folder);
  own.note(event);
}
