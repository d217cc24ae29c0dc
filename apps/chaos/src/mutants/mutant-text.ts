/** From the text of a built file to the mutant's. */
import type { Mutant } from './mutants.js';

/** The environment variable with the number of the mutant that workers are to be. */
export const mutantVariable = 'CHAOS_MUTANT';

/** @throws when the text has changed since the mutant was written */
export function textOf({ name, find, replace }: Mutant, text: string): string {
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(`mutant "${name}": its text stands ${parts.length - 1} times in the file, not once`);
  return parts.join(replace);
}
