/** The 22 defects of the sidekiq-assured-jobs gem that tsq was built to be without: each has a test that names it. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

test('each of the 22 defects is shown by a test that begins with its number', () => {
  const folder = new URL('../../src/gem-defects/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.ts'));
  const sources = files.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
  const numbers = [...sources.matchAll(/^ {2}test\(['"]defect (\d+): /gm)].map(([, number]) =>
    Number(number),
  );
  expect([...new Set(numbers)].toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 22 }, (_, at) => at + 1),
  );
});
