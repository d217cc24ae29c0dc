import { describe, expect, test } from '@jest/globals';
import { importViolations } from './import-rules.js';
import { parseSource } from './parsed-source.js';
import { type Manifest, type Member, members } from './workspace.js';

test('nobody imports what the rules of the house forbid', () => {
  expect(importViolations(members())).toEqual([]);
});

describe('the rules', () => {
  const member = (
    folder: string,
    manifest: Omit<Manifest, 'version'>,
    files: Record<string, string> = {},
  ): Member => ({
    folder,
    manifest: {
      version: '1.0.0',
      exports: { '.': {}, './test-support': {}, './test-support/outside-jest': {} },
      ...manifest,
    },
    sources: Object.entries(files).map(([name, text]) => {
      const path = `${folder}/src/${name}`;
      return { path, ...parseSource(path, text) };
    }),
  });
  const core = member('packages/core', { name: '@tsq/core' });
  const worker = (files: Record<string, string>, manifest: Partial<Manifest> = {}) =>
    member(
      'packages/worker',
      { name: '@tsq/worker', dependencies: { '@tsq/core': '1' }, ...manifest },
      files,
    );
  const tracker = member('packages/tracker', { name: '@tsq/tracker' });
  const violations = (files: Record<string, string>, manifest?: Partial<Manifest>) =>
    importViolations([core, tracker, worker(files, manifest)]);

  test('allow what the table of the architecture has', () => {
    expect(violations({ 'a.ts': "import { keys } from '@tsq/core';" })).toEqual([]);
  });

  test.each([
    ["import type { Keyspace } from '@tsq/tracker';", '@tsq/worker may not import @tsq/tracker'],
    ["export { Keyspace } from '@tsq/tracker';", '@tsq/worker may not import @tsq/tracker'],
    ["type K = import('@tsq/tracker').Keyspace;", '@tsq/worker may not import @tsq/tracker'],
    ["await import('@tsq/tracker');", '@tsq/worker may not import @tsq/tracker'],
    ["import '@tsq/core/dist/keys.js';", '@tsq/core/dist/keys.js is an inside of @tsq/core'],
    ["import '../../core/src/keys.js';", 'leaves the package'],
    ["import '@tsq/core/test-support';", 'is for tests'],
    ["import '@tsq/core/test-support/outside-jest';", 'is for tests'],
    ["import './b.test.js';", 'is for tests'],
    ["import 'left-pad';", 'left-pad is not in package.json'],
    ["import '#left-pad';", '#left-pad is not in the imports of package.json'],
    ['export const home = process.env.HOME;', 'reads process.env'],
    ["export const home = process.env['HOME'];", 'reads process.env'],
    ['export const { env } = process;', 'reads process.env'],
    ["import { env } from 'node:process';", 'reads process.env'],
  ])('refuse %s', (text, problem) => {
    expect(violations({ 'a.ts': text })).toEqual([expect.stringContaining(problem)]);
  });

  test('allow a private member what of the test support runs without jest, and no more', () => {
    const outside = { 'a.ts': "import '@tsq/core/test-support/outside-jest';" };
    expect(violations(outside, { private: true })).toEqual([]);
    const inside = { 'a.ts': "import '@tsq/core/test-support';" };
    expect(violations(inside, { private: true })).toEqual([expect.stringContaining('is for tests')]);
  });

  test('refuse a devDependency in what ships, and allow it in a test', () => {
    const manifest = { devDependencies: { '@jest/globals': '1' } };
    const text = "import { test } from '@jest/globals';";
    expect(violations({ 'a.ts': text }, manifest)).toEqual([expect.stringContaining('users do not get it')]);
    expect(violations({ 'a.test.ts': text }, manifest)).toEqual([]);
  });

  test("allow a name of the package's own, which a condition chooses", () => {
    const manifest = { imports: { '#fault-point': { default: './dist/fault-point.js' } } };
    expect(violations({ 'a.ts': "import '#fault-point';" }, manifest)).toEqual([]);
  });

  test('refuse a dependency in the manifest alone', () => {
    const manifest = { dependencies: { '@tsq/tracker': '1' } };
    expect(violations({}, manifest)).toEqual([expect.stringContaining('may not depend on @tsq/tracker')]);
  });

  test('refuse files that load each other in a circle, not types that name each other', () => {
    const circle = (kind: string) => ({
      'a.ts': `import ${kind}{ b } from './b.js'; export type A = typeof b; export const a = 1;`,
      'b.ts': "import { a } from './a.js'; export const b = a;",
    });
    expect(violations(circle(''))).toEqual([expect.stringContaining('a circle of imports')]);
    expect(violations(circle('type '))).toEqual([]);
  });
});
