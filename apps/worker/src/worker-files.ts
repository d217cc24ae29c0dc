/** Which files `-r` means: a file, all worker files under a folder, or those that a glob matches. */
import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { didYouMean, TsqError } from '@tsq/core';
import { glob, isDynamicPattern } from 'tinyglobby';
import { errorCodeOf } from './error-code.js';

const loadable = /\.[cm]?[jt]s$/;
const everything = '**/*.{ts,mts,cts,js,mjs,cjs}';
/** Tests would run without their runner, declarations hold no code. A file that is named itself is always taken. */
const passedOver = ['**/*.{test,spec}.*', '**/*.d.{ts,mts,cts}', '**/node_modules/**'];

/**
 * @param folder what relative paths start from
 * @returns absolute paths, each once, in the order of `paths` and sorted within a folder or glob
 * @throws TSQ_WORKERS_UNLOADABLE when one of `paths` leads to no file
 */
export async function findWorkerFiles(paths: readonly string[], folder: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    for (const file of await filesOf(path, folder)) found.add(file);
  }
  return [...found];
}

async function filesOf(path: string, folder: string): Promise<readonly string[]> {
  const absolute = resolve(folder, path);
  const stat = statSync(absolute, { throwIfNoEntry: false });
  if (stat?.isFile()) return [checked(path, absolute)];
  const files = stat?.isDirectory()
    ? await search(everything, absolute)
    : isDynamicPattern(path)
      ? (await search(path, folder)).filter((file) => loadable.test(file))
      : undefined;
  if (files === undefined) throw await absent(path, absolute);
  if (files.length > 0) return files;
  const what = stat === undefined ? 'no worker file matches' : 'no worker file in';
  throw unloadable(
    `${what} ${path}: expected .ts, .mts, .cts, .js, .mjs or .cjs (tests and .d.ts are passed over)`,
  );
}

async function search(pattern: string, cwd: string): Promise<readonly string[]> {
  const files = await glob(pattern, { cwd, absolute: true, ignore: passedOver, expandDirectories: false });
  return files.map((file) => resolve(file)).sort();
}

function checked(path: string, absolute: string): string {
  if (loadable.test(absolute)) return absolute;
  throw unloadable(`${path}: expected a .ts, .mts, .cts, .js, .mjs or .cjs file, a folder or a glob`);
}

async function absent(path: string, absolute: string): Promise<TsqError> {
  try {
    const siblings = await readdir(dirname(absolute));
    return unloadable(`${path}: no such file or folder${didYouMean(basename(absolute), siblings)}`);
  } catch (error) {
    const isAbsent = errorCodeOf(error) === 'ENOENT';
    const folder = isAbsent
      ? `nor is there ${dirname(absolute)}`
      : `its folder can't be read: ${String(error)}`;
    return unloadable(`${path}: no such file or folder; ${folder}`);
  }
}

function unloadable(message: string): TsqError {
  return new TsqError('TSQ_WORKERS_UNLOADABLE', message);
}
