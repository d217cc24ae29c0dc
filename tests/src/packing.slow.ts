/**
 * What users get: each package is packed as for publishing, the tarballs are installed with npm into an empty project, and
 * that project imports, type-checks and runs. Slow, so it is a step of its own: `pnpm test:pack`.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestRedis } from '@tsq/core/test-support';
import { type Manifest, members, readText, repository } from './workspace.js';

const run = promisify(execFile);
const { packageManager, devDependencies } = JSON.parse(readText('package.json'));
const packed = members().filter(({ manifest }) => manifest.name !== 'tsq-demo' && manifest.private !== true);
const names = packed.map(({ manifest }) => manifest.name);

describe('the packed packages', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsq-pack-'));
  const project = join(folder, 'project');
  // A folder each: @tsq/worker and tsq-worker would otherwise make one file of the same name.
  const placeOf = (name: string) => join(folder, name.replace('/', '+'));
  const tarball = ({ name, version }: Manifest) =>
    join(placeOf(name), `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  const inProject = (command: string, ...args: string[]) => run(command, args, { cwd: project });

  beforeAll(async () => {
    for (const member of packed) {
      const pack = ['--yes', packageManager, 'pack', '--pack-destination', placeOf(member.manifest.name)];
      await run('npx', pack, { cwd: join(repository, member.folder) });
    }
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), JSON.stringify(emptyProject(tarball)));
    await inProject('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts');
  }, 240_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('are the libraries and the commands', () => {
    expect(names).toEqual(
      expect.arrayContaining([
        ...['@tsq/core', '@tsq/worker', '@tsq/tracker', '@tsq/recovery'],
        ...['tsq-worker', 'tsq'],
      ]),
    );
  });

  test.each(packed.map(({ manifest }) => [manifest.name, manifest] as const))(
    '%s holds its license, its README, its code and types, and nothing that is for tests',
    async (_name, manifest) => {
      const { stdout } = await run('tar', ['-tzf', tarball(manifest)]);
      const files = stdout.trim().split('\n');
      expect(files).toEqual(
        expect.arrayContaining(['package/README.md', 'package/dist/index.js', 'package/dist/index.d.ts']),
      );
      expect(files.filter((file) => /LICENSE$/.test(file))).toHaveLength(1);
      expect(files.filter((file) => /\.test\.|test-support|\.map$|tsbuildinfo|\/src\//.test(file))).toEqual(
        [],
      );
    },
  );

  test('a packed manifest names the package, and announces no entry for tests', async () => {
    for (const { manifest } of packed) {
      const { stdout } = await run('tar', ['-xzOf', tarball(manifest), 'package/package.json']);
      expect(JSON.parse(stdout).name).toBe(manifest.name);
      expect(Object.keys(JSON.parse(stdout).exports)).not.toContain('./test-support');
      expect(stdout).not.toContain('workspace:');
    }
  });

  test('install once each: no second copy comes from the registry', () => {
    const ours = readdirSync(join(project, 'node_modules/@tsq'));
    expect(ours.map((name) => `@tsq/${name}`).sort()).toEqual(
      names.filter((name) => name.startsWith('@')).sort(),
    );
    for (const name of names) {
      const own = join(project, 'node_modules', name, 'node_modules');
      expect(readdirSync(join(own, '..')).includes('node_modules') ? readdirSync(own) : []).not.toContain(
        '@tsq',
      );
    }
  });

  test('are imported, scripts and all, in an empty project', async () => {
    writeFileSync(
      join(project, 'use.mjs'),
      [...names.map((name) => `await import('${name}');`), ''].join('\n'),
    );
    await inProject(process.execPath, 'use.mjs');
  });

  test('bring types that a strict project compiles against', async () => {
    const imports = names.map(
      (name, index) => `import * as m${index} from '${name}';\nexport { m${index} };`,
    );
    writeFileSync(join(project, 'use.ts'), imports.join('\n'));
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(strictProject));
    await inProject(process.execPath, join(repository, 'node_modules/typescript/bin/tsc'), '--noEmit');
  });

  test('bring commands that tell their version', async () => {
    for (const { manifest } of packed) {
      for (const command of Object.keys(manifest.bin ?? {})) {
        const { stdout } = await inProject(join('node_modules/.bin', command), '-V');
        expect(stdout).toContain(manifest.version);
      }
    }
  });

  test('bring a drill that finds its workers, and passes', async () => {
    const redis = new TestRedis();
    await redis.start();
    try {
      const size = ['--jobs', '6', '--concurrency', '2', '--job-seconds', '0.5', '--json'];
      const { stdout } = await inProject('node_modules/.bin/tsq', 'drill', '--redis', redis.url, ...size);
      expect(JSON.parse(stdout)).toMatchObject({ verdict: 'passed', lost: 0, duplicated: 0 });
    } finally {
      await redis.stop();
    }
  }, 120_000);
});

const strictProject = {
  compilerOptions: {
    strict: true,
    module: 'nodenext',
    target: 'es2023',
    types: ['node'],
    skipLibCheck: false,
  },
  files: ['use.ts'],
};

/** All of ours come from the tarballs, whoever asks for them; the rest from the registry, as for a user. */
function emptyProject(tarball: (manifest: Manifest) => string) {
  const ours = packed.map(({ manifest }) => [manifest.name, `file:${tarball(manifest)}`] as const);
  return {
    name: 'empty-project',
    private: true,
    type: 'module',
    dependencies: Object.fromEntries(ours),
    overrides: Object.fromEntries(names.map((name) => [name, `$${name}`])),
    devDependencies: { '@types/node': devDependencies['@types/node'] },
  };
}
