/** The page that shows the matrix has each row, with what it does and where it is. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { rows } from './index.js';

const page = readFileSync(new URL('../../../../docs/reliability.md', import.meta.url), 'utf8');
const sources = readdirSync(new URL('../../src/rows/', import.meta.url));

test.each(rows.map((row) => [row.number, row] as const))('row %i stands there as it is', (number, row) => {
  const prefix = `${String(number).padStart(2, '0')}-`;
  const file = sources.find((name) => name.startsWith(prefix) && !name.includes('.test.'));
  expect(page).toContain(
    `| ${number} | ${row.fault} | ${row.holds.join(' ')} | [\`${file}\`](../apps/chaos/src/rows/${file}) |`,
  );
});
