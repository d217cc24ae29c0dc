/**
 * tsc copies no .lua files: this puts each beside the .js that loads it. Run in a package's folder after `tsc -b`.
 */
import { cpSync, existsSync } from 'node:fs';

if (existsSync('src')) {
  cpSync('src', 'dist', {
    recursive: true,
    filter: (path) => !path.includes('.') || path.endsWith('.lua'),
  });
}
