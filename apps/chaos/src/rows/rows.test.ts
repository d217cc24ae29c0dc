/** Every row of the fault matrix, in its small form; and the matrix is whole. `CHAOS_SEED=n` repeats a run. */
import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { Row } from '../row.js';
import { rows } from './index.js';
import { missingRows } from './missing-rows.js';
import { runRows } from './run-rows.js';

const numbers = Array.from({ length: 34 }, (_, index) => index + 1);
const atOnce = 4;
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
/** Rows wait for each other. */
const withinMs = 300_000;

test('each row of the matrix is a case, or says why it is none', () => {
  const present = new Set(rows.map((row) => row.number));
  expect(numbers.filter((number) => !present.has(number) && missingRows[number] === undefined)).toEqual([]);
  expect(rows.filter((row) => missingRows[row.number] !== undefined)).toEqual([]);
});

test('each file of a row is in the list, once and in order', () => {
  const files = readdirSync(new URL('.', import.meta.url)).filter((name) => /^\d\d-[a-z-]+\.js$/.test(name));
  expect(files.map((name) => Number(name.slice(0, 2))).toSorted((a, b) => a - b)).toEqual(
    rows.map((row) => row.number),
  );
});

/** With CI=true what is missing fails, so no pipeline stays green by testing nothing. */
const reasonOf = (row: Row) => (process.env.CI === 'true' ? undefined : row.missing?.());
const results = runRows(
  rows.filter((row) => reasonOf(row) === undefined),
  seed,
  atOnce,
);

for (const row of rows) {
  const { number, fault, holds } = row;
  const reason = reasonOf(row);
  const name = `row ${number}: ${fault}: ${holds.join(' ')}`;
  const run = async () => {
    const result = await results.get(number);
    if (result?.error === undefined) return;
    const where = `with CHAOS_SEED=${seed}; what is left is in ${result.artefacts.join(', ')}`;
    throw new Error(`${result.error.message}\n${where}`, { cause: result.error });
  };
  if (reason === undefined) test(name, run, withinMs);
  else test.skip(`${name}: ${reason}`, run);
}
