/** Follows the histories while they grow, and counts events: a run's faults come by the number of jobs that have ended. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';

export class HistoryTail {
  private readonly offsets = new Map<string, number>();
  private readonly counts = new Map<string, number>();
  private readonly jids = new Set<string>();

  constructor(private readonly folder: string) {}

  /** Reads what is new. */
  read(): void {
    for (const name of readdirSync(this.folder)) if (name.endsWith('.jsonl')) this.readFile(name);
  }

  count(event: string): number {
    return this.counts.get(event) ?? 0;
  }

  /** Jobs that have been done at least once. */
  get done(): number {
    return this.jids.size;
  }

  private readFile(name: string): void {
    const file = openSync(join(this.folder, name), 'r');
    try {
      const offset = this.offsets.get(name) ?? 0;
      const fresh = Buffer.alloc(fstatSync(file).size - offset);
      const length = readSync(file, fresh, 0, fresh.length, offset);
      const whole = fresh.subarray(0, length).lastIndexOf('\n') + 1;
      this.offsets.set(name, offset + whole);
      for (const line of fresh.toString('latin1', 0, whole).split('\n')) this.hear(line);
    } finally {
      closeSync(file);
    }
  }

  private hear(line: string): void {
    const event = /"event":"([a-z-]+)"/.exec(line)?.[1];
    if (event === undefined) return;
    this.counts.set(event, this.count(event) + 1);
    const jid = event === 'end' ? /"jid":"([^"]+)"/.exec(line)?.[1] : undefined;
    if (jid !== undefined) this.jids.add(jid);
  }
}
