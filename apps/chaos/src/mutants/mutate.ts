/**
 * Loaded into each worker of a mutant before everything else: changes one built file while it is read. The files on the disk
 * stay as they are, so nothing of a mutant can be left behind.
 */
import fs from 'node:fs';
import { register, syncBuiltinESMExports } from 'node:module';
import { mutantVariable, textOf } from './mutant-text.js';
import { mutants } from './mutants.js';

const mutant = mutants[Number(process.env[mutantVariable])];
if (mutant === undefined) throw new Error(`${mutantVariable}: expected the number of a mutant`);

if (mutant.file.endsWith('.js')) {
  register('./mutate-hooks.js', import.meta.url, { data: mutant });
} else {
  const read = fs.readFileSync;
  // All that tsq reads of a script, it reads so.
  fs.readFileSync = ((path: fs.PathOrFileDescriptor, options?: never) => {
    const content: unknown = read(path, options);
    return String(path).endsWith(mutant.file) ? textOf(mutant, String(content)) : content;
  }) as typeof fs.readFileSync;
  syncBuiltinESMExports();
}
