/**
 * Code that people copy compiles: every `ts` block of the README and the docs, and the workers of docker/. Each page is a
 * folder, each block a module; one that another imports is named in the line before it: "A worker, `workers.ts`:".
 */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { filesUnder, readText, repository } from './workspace.js';

const run = promisify(execFile);
/** Inside this member, so that the imports of the blocks are found; never committed. */
const folder = join(repository, 'tests/.tsq/docs-code');

interface Snippet {
  readonly file: string;
  readonly code: string;
}

describe('code in the docs', () => {
  const pages = ['README.md', ...['docs', 'packages', 'apps'].flatMap((place) => filesUnder(place, '.md'))];
  const snippets = [
    ...pages.flatMap((page) => snippetsOf(page, readText(page))),
    ...filesUnder('docker', '.ts').map((file) => ({ file, code: readText(file) })),
  ];

  test('compiles as a user would compile it', async () => {
    expect(await complaintsAbout(snippets)).toBe('');
  }, 60_000);

  test('that does not compile is found, with its page', async () => {
    const page = [
      'A worker, `w.ts`:',
      '```ts',
      "export const w = 'x';",
      '```',
      '```ts',
      "import { w } from './w.js';",
    ];
    const wrong = [...page, 'export const n: number = w;', '```'].join('\n');
    expect(await complaintsAbout(snippetsOf('docs/page.md', wrong))).toMatch(
      /docs\/page\.md\/line-5\.ts\(2,14\): error TS2322/,
    );
  }, 60_000);
});

/** @param page names the folder; a block without a name is called after the line of its fence */
function snippetsOf(page: string, text: string): readonly Snippet[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    if (line !== '```ts') return [];
    const end = lines.indexOf('```', index);
    const before = lines.slice(0, index).findLast((earlier) => earlier.trim() !== '');
    const name = before?.match(/`([\w-]+\.ts)`/)?.[1] ?? `line-${index + 1}.ts`;
    return [{ file: `${page}/${name}`, code: lines.slice(index + 1, end).join('\n') }];
  });
}

/** What the compiler prints; '' when all is well. */
async function complaintsAbout(snippets: readonly Snippet[]): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  for (const { file, code } of snippets) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), `${code}\nexport {};\n`);
  }
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'es2023',
    types: ['node'],
    noEmit: true,
  };
  const typeRoots = [join(repository, 'node_modules/@types')];
  const config = { compilerOptions: { ...compilerOptions, typeRoots, skipLibCheck: true } };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const tsc = join(repository, 'node_modules/typescript/bin/tsc');
  try {
    return (await run(process.execPath, [tsc, '-p', folder], { cwd: folder })).stdout;
  } catch (error) {
    // A process' failure is an Error of Node's own realm, not of jest's.
    if (typeof error === 'object' && error !== null && 'stdout' in error)
      return String(error.stdout || error);
    throw error;
  }
}
