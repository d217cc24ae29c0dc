/** What the page of the matrix says of a row is what the row says. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { rows } from './index.js';

const docs = new URL('../../../../docs/', import.meta.url);
const lines = readFileSync(new URL('reliability.md', docs), 'utf8').split('\n');
const cells = lines.flatMap((line) => {
  const [, number = '', fault, holds, path = ''] =
    /^\| (\d+) \| (.*) \| ([SL\d ]+) \| \[`.*`\]\((.*)\) \|$/.exec(line) ?? [];
  return number === '' ? [] : [{ number: Number(number), fault, holds, path }];
});

test('the page has a table of rows', () => {
  expect(cells.length).toBeGreaterThan(0);
});

test.each(cells.map((cell) => [cell.number, cell] as const))(
  'row %i is described as it is',
  (number, cell) => {
    const row = rows.find((each) => each.number === number);
    expect(cell).toMatchObject({ fault: row?.fault, holds: row?.holds.join(' ') });
    expect(existsSync(new URL(cell.path, docs))).toBe(true);
  },
);
