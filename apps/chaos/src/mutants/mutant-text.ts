/** From the text of a built file to the mutant's. */
import type { Mutant } from './mutants.js';

/** The environment variable with the number of the mutant that workers are to be. */
export const mutantVariable = 'CHAOS_MUTANT';

/** The text of the file at `path` as the mutant has it; unchanged when it is none of the mutant's. */
export function textOf(mutant: Mutant, path: string, text: string): string {
  const edits = mutant.edits.filter(({ file }) => path.endsWith(file));
  return edits.reduce((before, { find, replace }) => {
    const parts = before.split(find);
    if (parts.length !== 2)
      throw new Error(
        `mutant "${mutant.name}": ${find} stands ${parts.length - 1} times in ${path}, not once`,
      );
    return parts.join(replace);
  }, text);
}
