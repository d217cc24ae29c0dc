/** The command as a user starts it, without a job: what it says and how it ends when something is wrong. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { useRedis } from '@tsq/core/test-support';
import { exitCodes } from './exit-codes.js';
import { useCommand } from './test-support/command.js';
import { useFolders } from './test-support/folder-of.js';

/** In a folder of the test no package is found by its name. */
const definition = `import { defineWorker } from ${JSON.stringify(import.meta.resolve('@tsq/worker'))};\n`;

describe('tsq-worker', () => {
  const start = useCommand();
  const folderOf = useFolders();

  test('-V prints the version, -h the flags, and both exit 0', async () => {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    const version = start(['-V']);
    const help = start(['-h']);
    expect([await version.exitCode, await help.exitCode]).toEqual([0, 0]);
    expect(manifest).toContain(`"version": "${version.stdout.trim()}"`);
    expect(help.stdout).toContain('-c, --concurrency <jobs>');
  });

  test.each([
    [['--concurency', '3'], /unknown option '--concurency'\s+\(Did you mean --concurrency\?\)/],
    [['-c'], /argument missing/],
    [['workers.ts'], /too many arguments/],
    [['-c', '0'], /flag --concurrency: .* got 0 \(TSQ_CONFIG_INVALID\)/],
    [['-C', 'nope.yml'], /nope\.yml: no such file .*\(TSQ_CONFIG_UNREADABLE\)/],
  ])('of wrong usage %j says what is wrong, and exits 2', async (args, message) => {
    const command = start(args);
    expect(await command.exitCode).toBe(exitCodes.usage);
    expect(command.stderr).toMatch(message);
    expect(command.stdout).toBe('');
  });

  test('of a setting that nothing reads says which, and exits 2', async () => {
    const command = start([], { folder: folderOf({ 'tsq.yml': 'concurency: 3\n' }) });
    expect(await command.exitCode).toBe(exitCodes.usage);
    expect(command.stderr).toContain(
      'no setting "concurency"; did you mean "concurrency"? (TSQ_CONFIG_UNKNOWN_KEY)',
    );
  });

  test.each([
    ['none named', [], {}, /no workers: name a file/],
    ['an absent file', ['-r', 'nope.ts'], {}, /nope\.ts: no such file or folder/],
    [
      'a file that throws',
      ['-r', 'a.mjs'],
      { 'a.mjs': 'throw new TypeError("no disk")' },
      /a\.mjs failed .*TypeError: no disk/,
    ],
    ['a package that is not there', ['-r', 'a.mjs'], { 'a.mjs': 'import "nowhere"' }, /Install the package/],
    [
      'TypeScript that is none',
      ['-r', 'a.ts'],
      { 'a.ts': 'export const a: = 3' },
      /a\.ts failed while it was loaded/,
    ],
    [
      'two of one name',
      ['-r', '.'],
      {
        'a.mjs': `${definition}export default defineWorker("Twin", () => {})`,
        'jobs/b.mjs': `${definition}export const again = defineWorker("Twin", () => {})`,
      },
      /two workers are called "Twin": defineWorker\("Twin"\) in a\.mjs and defineWorker\("Twin"\) in jobs\/b\.mjs/,
    ],
    ['a file without a worker', ['-r', 'a.mjs'], { 'a.mjs': 'export const a = 3' }, /no worker in a\.mjs/],
  ])('of workers that can not be loaded (%s) says why, and exits 3', async (_what, args, files, message) => {
    const command = start([...args], { folder: folderOf(files) });
    expect(await command.exitCode).toBe(exitCodes.workers);
    expect(command.log.find(({ level }) => level === 'fatal')?.msg).toMatch(message);
  });
});

describe('tsq-worker before a Redis that it can not run on', () => {
  const start = useCommand();
  const redis = useRedis(['--cluster-enabled', 'yes']);

  test('says why, and exits 4', async () => {
    const args = ['-r', new URL('../fixtures/esm/workers.ts', import.meta.url).pathname];
    const command = start(args, { environment: { REDIS_URL: redis.url } });
    expect(await command.exitCode).toBe(exitCodes.redis);
    expect(command.log.find(({ level }) => level === 'fatal')).toMatchObject({
      code: 'TSQ_REDIS_UNSUITABLE',
    });
  });
});

describe('tsq-worker, sent a signal while it is loaded', () => {
  const start = useCommand();
  const redis = useRedis();

  /** A program before it sends the signal to the process itself, as soon as anybody listens. */
  function startSignalled(signal: NodeJS.Signals) {
    const hook = `process.on('newListener', function hook(name) {
      if (name !== '${signal}') return;
      process.off('newListener', hook);
      setImmediate(() => process.kill(process.pid, '${signal}'));
    });`;
    const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
    const args = ['-r', new URL('../fixtures/esm/workers.ts', import.meta.url).pathname];
    return start(args, { environment: { REDIS_URL: redis.url }, nodeArgs });
  }

  test('TERM ends it at once, with exit code 0: it holds nothing yet', async () => {
    const command = startSignalled('SIGTERM');
    expect(await command.exitCode).toBe(exitCodes.stopped);
    expect([command.stdout, command.stderr]).toEqual(['', '']);
  });

  test('TSTP is kept: it is quiet from its start on, and not frozen', async () => {
    const command = startSignalled('SIGTSTP');
    await command.logged('quiet: takes no new jobs');
    await command.logged('ready');
    command.signal('SIGTERM');
    expect(await command.exitCode).toBe(exitCodes.stopped);
  });
});
