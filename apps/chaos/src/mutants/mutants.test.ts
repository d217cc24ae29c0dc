/** Each mutant changes what is built today: one whose text has gone would be found by nobody, and nobody would know. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { textOf } from './mutant-text.js';
import { mutants } from './mutants.js';

const packages = fileURLToPath(new URL('../../../../packages/', import.meta.url));

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))('%s', (_name, mutant) => {
  for (const { file } of mutant.edits) {
    const path = packages + file;
    expect(existsSync(path)).toBe(true);
    const text = readFileSync(path, 'utf8');
    expect(textOf(mutant, path, text)).not.toBe(text);
  }
});
