/**
 * Loaded before a worker (`node --import`): its scripts differ from those of the others, as another build's do, and so do their
 * SHAs. They do the same, for versions that may work side by side must.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { readFileSync } = fs;

function isScript(file: unknown): boolean {
  return (file instanceof URL || typeof file === 'string') && String(file).endsWith('.lua');
}

fs.readFileSync = ((file: fs.PathOrFileDescriptor, options?: unknown) => {
  const read = readFileSync(file, options as BufferEncoding);
  return isScript(file) && typeof read === 'string' ? `${read}\n-- of another build\n` : read;
}) as typeof readFileSync;
syncBuiltinESMExports();
