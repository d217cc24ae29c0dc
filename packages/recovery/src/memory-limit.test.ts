import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { limitsOfCgroups, memoryLimit } from './memory-limit.js';

describe('the limit of memory', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsq-cgroup-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function places(self: string, files: Readonly<Record<string, string>>) {
    const root = join(folder, 'cgroup');
    writeFileSync(join(folder, 'self'), self);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return { self: join(folder, 'self'), root };
  }

  test.each([
    [
      'version 2: its own, and those above it',
      '0::/kubepods/pod7/web\n',
      { 'kubepods/pod7/web/memory.max': 'max\n', 'kubepods/pod7/memory.max': '2147483648\n' },
      [2_147_483_648],
    ],
    ['version 2 in a container: the root is its own', '0::/\n', { 'memory.max': '1048576\n' }, [1_048_576]],
    [
      'version 1: a huge number is none',
      '5:cpu,cpuacct:/x\n4:memory:/docker/ab\n',
      {
        'memory/docker/ab/memory.limit_in_bytes': '536870912\n',
        'memory/memory.limit_in_bytes': '9223372036854771712\n',
      },
      [536_870_912],
    ],
    [
      "version 1 in a container that sees its host's path: the root's",
      '4:memory:/docker/ab\n',
      { 'memory/memory.limit_in_bytes': '1000000\n' },
      [1_000_000],
    ],
    ['none at all', '0::/user.slice\n', { 'user.slice/memory.max': 'max\n' }, []],
  ] as const)('%s', (_what, self, files, limits) => {
    expect(limitsOfCgroups(places(self, files))).toEqual(limits);
  });

  test('the smallest counts, and it is never more than the machine has', () => {
    const small = places('0::/a/b\n', { 'a/b/memory.max': '3000000', 'a/memory.max': '2000000' });
    expect(memoryLimit(small)).toBe(2_000_000);
    expect(memoryLimit({ self: join(folder, 'absent'), root: folder })).toBe(totalmem());
  });
});
