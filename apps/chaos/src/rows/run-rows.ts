/** Runs rows, each on a stage of its own, several at once but bounded: they are made of processes, and a machine has few cores. */
import { Seeded } from '@tsq/core/test-support/outside-jest';
import type { Row } from '../row.js';
import { Stage, type StageSize } from '../stage/stage.js';

export interface RowResult {
  readonly row: Row;
  readonly seed: number;
  readonly durationMs: number;
  readonly error: Error | undefined;
  /** What a failed row leaves behind. */
  readonly artefacts: readonly string[];
}

async function runRow(row: Row, seed: number, size: StageSize): Promise<RowResult> {
  const startedAt = performance.now();
  const stage = new Stage(seed, size);
  let error: Error | undefined;
  try {
    await row.run(stage);
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(String(thrown));
  } finally {
    await stage.close(error === undefined ? 'passed' : 'failed');
  }
  const durationMs = Math.round(performance.now() - startedAt);
  return { row, seed, durationMs, error, artefacts: error === undefined ? [] : stage.artefacts };
}

/**
 * Each row's result under its number. They begin in order; whichever lane is free takes the next.
 * @param seed the seed of each row follows from it and the row's number
 */
export function runRows(
  rows: readonly Row[],
  seed: number,
  atOnce: number,
  size: StageSize = 'small',
): ReadonlyMap<number, Promise<RowResult>> {
  const waiting: (() => Promise<void>)[] = [];
  const results = new Map<number, Promise<RowResult>>();
  for (const row of rows) {
    const result = new Promise<RowResult>((resolve, reject) => {
      waiting.push(async () => {
        await runRow(row, new Seeded(seed + row.number).below(2 ** 31), size).then(resolve, reject);
      });
    });
    results.set(row.number, result);
  }
  for (let lane = 0; lane < atOnce; lane += 1) void runLane(waiting);
  return results;
}

async function runLane(waiting: (() => Promise<void>)[]): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next();
}
