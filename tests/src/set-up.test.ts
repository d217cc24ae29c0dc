/** The scripts behind `npm start`, `npm test` and `.ci/run`, as the programs that they are. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { repository } from './workspace.js';

const run = promisify(execFile);
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsq-set-up-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a snippet that imports from scripts/set-up; resolves with what it printed, trimmed. */
async function inNode(snippet: string, env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', snippet], {
    cwd: join(repository, 'scripts'),
    env: { ...process.env, ...env },
  });
  return stdout.trim();
}

describe('the version of Node', () => {
  test('an older one ends with a sentence that names both versions', async () => {
    const old = inNode("import { requireNode } from './set-up/node-version.mjs'; requireNode(99);");
    await expect(old).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`needs Node 99 or newer; this is Node ${process.versions.node}`),
    });
  });
});

describe('Redis', () => {
  const requireRedis =
    "import { requireRedisServer } from './set-up/redis.mjs';" +
    'console.log(await requireRedisServer().catch((error) => error.message));';

  test('without a redis-server and without apt there is one line for each system', async () => {
    const said = await inNode(requireRedis, { PATH: folder });
    expect(said).toContain('there is no apt-get');
    expect(said).toMatch(/macOS +brew install redis\n/);
    expect(said).toMatch(/Ubuntu +sudo apt-get update && sudo apt-get install -y redis-server\n/);
    expect(said).toMatch(/Docker +docker run .* redis:/);
  });

  test('what apt says when it fails is passed on', async () => {
    program('apt-get', 'echo "apt-get $1: no network"; exit 100');
    for (const name of ['env', 'sh']) symlinkSync(await where(name), join(folder, name));
    program('sudo', 'shift; exec "$@"');
    const said = await inNode(requireRedis, { PATH: folder });
    expect(said).toContain('could not install redis-server');
    expect(said).toContain('apt-get update: no network');
    expect(said).toContain('apt-get install: no network');
  });

  test('a private server answers, and leaves neither process nor folder', async () => {
    const printed = await inNode(
      `import { existsSync, readdirSync } from 'node:fs';
       import { connect } from 'node:net';
       import { startPrivateRedis } from './set-up/redis.mjs';
       const redis = await startPrivateRedis();
       const before = readdirSync(process.env.TMPDIR).length;
       const socket = connect(Number(new URL(redis.url).port), '127.0.0.1');
       socket.end('PING\\r\\n');
       for await (const reply of socket) console.log(String(reply).trim());
       await redis.stop();
       await redis.stop();
       console.log(before, readdirSync(process.env.TMPDIR).length);`,
      { TMPDIR: folder },
    );
    expect(printed).toBe('+PONG\n1 0');
  });
});

describe('the count of .ci/run', () => {
  const count = async (results: object | undefined, exitCode: number) => {
    const file = join(folder, 'jest.json');
    if (results !== undefined) writeFileSync(file, JSON.stringify(results));
    const script = join(repository, 'scripts/count-tests.mjs');
    const { stdout } = await run(process.execPath, [script, file, String(exitCode)]);
    return stdout.trim();
  };
  const results = { numPassedTests: 7, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };

  test('is that of jest', async () => {
    expect(await count(results, 0)).toBe('7 0');
    expect(await count({ ...results, numFailedTests: 2 }, 1)).toBe('7 2');
  });

  test('has a failure for each file that could not run', async () => {
    expect(await count({ ...results, numRuntimeErrorTestSuites: 3 }, 1)).toBe('7 3');
  });

  test('has a failure when the run failed and no test did, or nothing was run at all', async () => {
    expect(await count(undefined, 1)).toBe('0 1');
    expect(await count(undefined, 0)).toBe('0 1');
    expect(await count(results, 1)).toBe('7 1');
  });
});

function program(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

async function where(name: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', `command -v ${name}`]);
  return stdout.trim();
}
