/** libfaketime: it gives a process a clock that is wrong, for the tests of what a wrong clock changes. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aptInstall, aptIsNotPossible } from './apt.mjs';
import { outcomeOf, root } from './command.mjs';

/** Where it is unpacked for who may not install it; the test support looks here too. */
const unpacked = join(root, 'node_modules/.cache/tsq/libfaketime');

/** Never throws: whoever lacks it can run all other tests. Resolves with a sentence on what there is. */
export async function provideFaketime() {
  if (isThere()) return 'libfaketime is there';
  const obstacle = (await aptIsNotPossible()) ?? (await failureOf(() => aptInstall(['libfaketime'])));
  if (isThere()) return 'libfaketime, installed with apt';
  const second = await failureOf(unpack);
  if (isThere()) return `libfaketime, unpacked into node_modules (${obstacle})`;
  const consequence = process.env.CI === 'true' ? 'fail, because CI=true' : 'are skipped';
  return `not there (${obstacle ?? second}): the tests of wrong clocks ${consequence}`;
}

function isThere() {
  const libraries = ['/usr/lib', join(unpacked, 'usr/lib')].filter((each) => existsSync(each));
  const files = libraries.flatMap((library) =>
    readdirSync(library).map((folder) => join(library, folder, 'faketime/libfaketimeMT.so.1')),
  );
  return files.some((file) => existsSync(file));
}

/** Needs no root: a package is an archive. */
async function unpack() {
  const folder = mkdtempSync(join(tmpdir(), 'tsq-faketime-'));
  try {
    const script = 'cd "$0" && apt-get download libfaketime && dpkg-deb -x libfaketime_*.deb "$1"';
    mkdirSync(unpacked, { recursive: true });
    const { code, output } = await outcomeOf('sh', ['-c', script, folder, unpacked]);
    if (code !== 0) throw new Error(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function failureOf(work) {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error.message.trim();
  }
}
