/**
 * Loaded into each worker of a mutant before everything else: changes built files while they are read. The files on the disk
 * stay as they are, so nothing of a mutant can be left behind.
 */
import fs from 'node:fs';
import { register, syncBuiltinESMExports } from 'node:module';
import { mutantVariable, textOf } from './mutant-text.js';
import { mutants } from './mutants.js';

const mutant = mutants[Number(process.env[mutantVariable])];
if (mutant === undefined) throw new Error(`${mutantVariable}: expected the number of a mutant`);

const isOf = (extension: string) => mutant.edits.some(({ file }) => file.endsWith(extension));
if (isOf('.js')) register('./mutate-hooks.js', import.meta.url, { data: mutant });
if (isOf('.lua')) {
  const read = fs.readFileSync;
  // All that tsq reads of a script, it reads so.
  fs.readFileSync = ((path: fs.PathOrFileDescriptor, options?: never) => {
    const content: unknown = read(path, options);
    return String(path).endsWith('.lua') ? textOf(mutant, String(path), String(content)) : content;
  }) as typeof fs.readFileSync;
  syncBuiltinESMExports();
}
