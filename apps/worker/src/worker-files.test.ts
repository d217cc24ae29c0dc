import { relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { useFolders } from './test-support/folder-of.js';
import { findWorkerFiles } from './worker-files.js';

describe('worker files', () => {
  const folderOf = useFolders();
  const tree = Object.fromEntries(
    [
      'workers/a.ts',
      'workers/deep/b.mjs',
      'workers/deep/c.cts',
      'workers/a.test.ts',
      'workers/types.d.ts',
      'workers/notes.md',
      'workers/node_modules/x/index.js',
      'empty/notes.md',
      'workers (old)/d.js',
    ].map((name) => [name, '']),
  );

  async function found(...paths: string[]): Promise<string[]> {
    const folder = folderOf(tree);
    return (await findWorkerFiles(paths, folder)).map((file) => relative(folder, file));
  }

  test('a folder gives all files under it, but no tests, declarations and packages', async () => {
    expect(await found('workers')).toEqual(['workers/a.ts', 'workers/deep/b.mjs', 'workers/deep/c.cts']);
  });

  test('a glob gives what it matches and can be loaded', async () => {
    expect(await found('workers/**/*.{mjs,md}')).toEqual(['workers/deep/b.mjs']);
    expect(await found('./workers/*.ts')).toEqual(['workers/a.ts']);
  });

  test('a file that is named is taken, whatever it is called, and each file once', async () => {
    expect(await found('workers/a.test.ts')).toEqual(['workers/a.test.ts']);
    expect(await found('workers/a.ts', './workers', 'workers (old)')).toEqual([
      'workers/a.ts',
      'workers/deep/b.mjs',
      'workers/deep/c.cts',
      'workers (old)/d.js',
    ]);
  });

  test.each([
    ['workers/a.js', /a\.js: no such file or folder; did you mean "a\.ts"\?/],
    ['nowhere/a.ts', /nor is there .*nowhere/],
    ['empty', /no worker file in empty/],
    ['empty/*.ts', /no worker file matches empty/],
    ['workers/notes.md', /expected a \.ts/],
  ])('%s leads to no file: %s', async (path, message) => {
    await expect(found(path)).rejects.toMatchObject({
      code: 'TSQ_WORKERS_UNLOADABLE',
      message: expect.stringMatching(message),
    });
  });
});
