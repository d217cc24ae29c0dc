/**
 * Lets Node import TypeScript, through tsx, under the tsconfig.json of the workers' own project: it says which kind of
 * decorators they are written in. Only called when there is TypeScript: plain JavaScript runs on Node as it is.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withTsconfig } from './environment.js';

const typescript = /\.[cm]?ts$/;

export function isTypeScript(file: string): boolean {
  return typescript.test(file);
}

/**
 * For the whole process, not for each file: else a worker and the program would each get their own copy of @tsq/worker.
 * @returns the tsconfig.json in force, if there is one, and those of further projects, which are not
 */
export async function registerTypeScript(
  files: readonly string[],
): Promise<{ tsconfig: string | undefined; passedOver: readonly string[] }> {
  const found = new Set(files.filter(isTypeScript).map(tsconfigOf));
  const [tsconfig, ...passedOver] = [...found].filter((file) => file !== undefined);
  const [esm, cjs] = await Promise.all([import('tsx/esm/api'), import('tsx/cjs/api')]);
  withTsconfig(tsconfig, () => {
    cjs.register();
    esm.register(tsconfig === undefined ? {} : { tsconfig });
  });
  return { tsconfig, passedOver };
}

function tsconfigOf(file: string): string | undefined {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const candidate = join(folder, 'tsconfig.json');
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}
