/** Reads what all processes have written, in the order of time. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryLine } from './line.js';

export function readHistory(folder: string): readonly HistoryLine[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  const lines = files.flatMap((name) => linesOf(readFileSync(join(folder, name), 'utf8')));
  return lines.sort((a, b) => a.at - b.at || a.n - b.n);
}

/** The last line may be half a one, when it is read while it is written. */
function linesOf(text: string): HistoryLine[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as HistoryLine); // our own files
}
