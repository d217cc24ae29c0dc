import { expect, test } from '@jest/globals';
import { errorCodes } from '@tsq/core';
import { readText } from './workspace.js';

/** The rows of the table in docs/errors.md: code, meaning, what to do. */
const rows = readText('docs/errors.md')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .map(([, code, meaning, whatToDo]) => ({ code: code?.replaceAll('`', ''), meaning, whatToDo }));

test('docs/errors.md explains every code there is, and no other, in the order of the table', () => {
  expect(rows.map(({ code }) => code)).toEqual(Object.keys(errorCodes));
});

test('docs/errors.md says for every code what it means, as the table does, and what to do', () => {
  const meanings = Object.fromEntries(rows.map(({ code, meaning }) => [code, meaning]));
  expect(meanings).toEqual(errorCodes);
  expect(rows.filter(({ whatToDo }) => whatToDo === undefined || whatToDo === '')).toEqual([]);
});
