import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Member, members, readText, repository } from './workspace.js';

const root = JSON.parse(readText('package.json'));

describe.each(members().map((member) => [member.manifest.name, member] as const))('%s', (_name, member) => {
  const { manifest, folder } = member;

  test('has a description, the MIT license, and the Node that the house asks for', () => {
    expect(manifest).toMatchObject({
      description: expect.stringMatching(/\S/),
      license: 'MIT',
      type: 'module',
      engines: root.engines,
    });
  });

  test('has a README of its own that begins with its name', () => {
    expect(readText(`${folder}/README.md`).split('\n')[0]).toBe(`# ${manifest.name}`);
  });

  test('every entry that it exports was built, with its types where it is a module', () => {
    const files = Object.values(manifest.exports ?? {}).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : [entry.types, entry.default],
    );
    expect(files.length).toBeGreaterThan(0);
    const missing = files.filter((file) => file === undefined || !existsSync(join(repository, folder, file)));
    expect(missing).toEqual([]);
  });

  test('ships what was built, and nothing that is for tests; or does not ship', () => {
    if (manifest.private === true) return;
    expect(manifest.files).toEqual(
      expect.arrayContaining([
        'dist',
        '!dist/**/*.test.*',
        '!dist/test-support',
        '!dist/**/*.map',
        '!dist/.tsbuildinfo',
      ]),
    );
  });

  test('every public name is listed by hand', () => {
    const index = member.sources.find(({ path }) => path === `${folder}/src/index.ts`);
    expect(index).toBeDefined();
    expect(readText(`${folder}/src/index.ts`)).not.toMatch(/export \*/);
  });

  test('a library ends no process and prints nothing: what it has to say goes to its logger', () => {
    const talkers = libraryFiles(member).filter((path) => /\bconsole\.|process\.exit\(/.test(readText(path)));
    expect(talkers).toEqual([]);
  });
});

function libraryFiles(member: Member): readonly string[] {
  if (!member.folder.startsWith('packages/')) return [];
  return member.sources.map(({ path }) => path).filter((path) => !/\.test\.ts$|\/test-support\//.test(path));
}
