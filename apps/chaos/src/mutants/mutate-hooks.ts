/** The hooks of Node's module loader for mutate.ts; they run in a thread of their own. */
import type { LoadHook } from 'node:module';
import { textOf } from './mutant-text.js';
import type { Mutant } from './mutants.js';

let mutant: Mutant | undefined;

export function initialize(given: Mutant): void {
  mutant = given;
}

export const load: LoadHook = async (url, context, next) => {
  const loaded = await next(url, context);
  if (mutant?.edits.some(({ file }) => url.endsWith(file)) !== true) return loaded;
  return {
    ...loaded,
    source: textOf(mutant, url, Buffer.from(loaded.source as Uint8Array).toString('utf8')),
  };
};
