/** The command as a user starts it, without a Redis: what it says of itself, and of wrong usage. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { exitCodes } from './exit-codes.js';
import { useTsq } from './test-support/tsq.js';
import { ownVersion } from './version.js';

describe('tsq', () => {
  const start = useTsq();
  const folder = mkdtempSync(join(tmpdir(), 'tsq-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('--version prints the version, --help the commands, and both exit 0', async () => {
    const version = start(['--version']);
    const help = start(['--help']);
    const own = start(['help', 'drill']);
    expect([await version.exitCode, await help.exitCode, await own.exitCode]).toEqual([0, 0, 0]);
    expect(version.stdout).toBe(`${ownVersion()}\n`);
    expect(help.stdout).toMatch(/drill .*kill a worker on your own Redis/);
    expect(own.stdout).toContain('--no-fast-detection');
  });

  test.each([
    [['dril'], /unknown command 'dril'\s+\(Did you mean drill\?\)/],
    [['drill', '--job', '3'], /unknown option '--job'\s+\(Did you mean --jobs\?\)/],
    [['drill', 'now'], /too many arguments/],
    [
      ['drill', '--jobs', '0'],
      /flag --jobs: expected an integer from 1 to 100000, got string "0" \(TSQ_CONFIG_INVALID\)/,
    ],
    [
      ['drill', '--job-seconds', 'x'],
      /flag --job-seconds: expected a number from 0\.2 to 3600, got string "x"/,
    ],
    [
      ['drill', '--heartbeat-ttl', '3', '--heartbeat-interval', '2'],
      /--heartbeat-ttl: expected two --heartbeat-interval/,
    ],
    [
      ['drill', '--profile', 'critcal'],
      /--profile: expected one of normal, critical, high-churn; did you mean "critical"\?/,
    ],
    [['drill', '--clean-up', 'tsq'], /--clean-up: expected the name of a drill, such as tsq-drill-/],
    [['drill', '--redis', 'localhost'], /flag --redis: expected a URL with redis:\/\//],
    [[], /Usage: tsq/],
  ])('of wrong usage %j says what is wrong, and exits 2', async (args, message) => {
    const command = start(args);
    expect(await command.exitCode).toBe(exitCodes.usage);
    expect(command.stderr).toMatch(message);
    expect(command.stdout).toBe('');
  });

  test.each([
    [
      'TSQ_REDIS_URL goes before REDIS_URL',
      { TSQ_REDIS_URL: 'http://a', REDIS_URL: 'redis://b' },
      /tsq: TSQ_REDIS_URL: expected/,
    ],
    [
      'REDIS_PROVIDER goes before REDIS_URL',
      { REDIS_PROVIDER: 'MINE', MINE: 'http://a', REDIS_URL: 'redis://b' },
      /tsq: MINE: expected/,
    ],
    ['REDIS_PROVIDER names a variable', { REDIS_PROVIDER: 'MINE' }, /it names MINE, and that is not set/],
    ['REDIS_URL goes before the file', { REDIS_URL: 'http://a' }, /tsq: REDIS_URL: expected/],
    [
      'sentinels need the name of the primary',
      { REDIS_URL: 'redis://b', TSQ_SENTINEL_NODES: 'a:1 b:2' },
      /tsq: Redis: sentinel\.master: expected what the sentinels call the primary/,
    ],
    ['the file comes last', {}, /tsq: tsq\.yml: redisUrl: expected/],
    [
      'a named file must be there',
      { TSQ_CONFIG: 'nope.yml' },
      /tsq: nope\.yml: .*ENOENT.* \(TSQ_CONFIG_UNREADABLE\)/,
    ],
  ])('%s', async (_what, environment, message) => {
    writeFileSync(join(folder, 'tsq.yml'), 'redisUrl: http://file:secret@host\nconcurrency: 3\n');
    const command = start(['drill'], { folder, environment: environment as Record<string, string> });
    expect(await command.exitCode).toBe(exitCodes.usage);
    expect(command.stderr).toMatch(message);
    expect(command.stderr).not.toContain('secret');
  });
});
