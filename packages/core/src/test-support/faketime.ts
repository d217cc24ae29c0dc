/**
 * Wrong clocks for real processes, by libfaketime (scripts/set-up/faketime.mjs provides it): what a host's clock says, in
 * Node and in Ruby. The monotonic clock stays, as it does when somebody sets the clock of a host. redis-server does not run so.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Variables for the process that is to have the clock. */
export type WrongClock = Readonly<Record<string, string>>;

/** A clock that is set while its processes run. */
export interface ClockFile {
  readonly clock: WrongClock;
  /** From now on it is so far off. @param offset as libfaketime reads it: `+1h`, `-90m`, `+0` */
  set(offset: string): void;
}

export interface Faketime {
  /** @param offset `+1h`, `-1h` */
  clock(offset: string): WrongClock;
  /** At first it is right. @param file to be written; one for each clock */
  clockFile(file: string): ClockFile;
}

/** Why there is none, when there is none. */
export function faketime(): Faketime | { readonly missing: string } {
  const library = findLibrary();
  if (library === undefined)
    return { missing: 'libfaketime is not there; on Debian: apt-get install libfaketime' };
  const common = { LD_PRELOAD: library, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  return {
    clock: (offset) => ({ ...common, FAKETIME: offset }),
    clockFile(file) {
      const set = (offset: string) => writeFileSync(file, `${offset}\n`);
      set('+0');
      return { clock: { ...common, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' }, set };
    },
  };
}

function findLibrary(): string | undefined {
  const unpacked = new URL('../../../../node_modules/.cache/tsq/libfaketime/usr/lib', import.meta.url);
  const folders = ['/usr/lib', fileURLToPath(unpacked)].filter((folder) => existsSync(folder));
  const files = folders.flatMap((folder) =>
    readdirSync(folder).map((each) => join(folder, each, 'faketime/libfaketimeMT.so.1')),
  );
  return files.find((file) => existsSync(file));
}
