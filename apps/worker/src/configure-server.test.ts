/** `configureServer` of a worker file, in the whole process: what it adds is called, and what is wrong in it stops the start. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { keys } from '@tsq/core';
import { useRedis } from '@tsq/core/test-support';
import { exitCodes } from './exit-codes.js';
import { type RunningCommand, useCommand } from './test-support/command.js';
import { useFolders } from './test-support/folder-of.js';

const fixture = fileURLToPath(new URL('../fixtures/configured/', import.meta.url));

describe('configureServer', () => {
  const redis = useRedis();
  const start = useCommand();
  const folderOf = useFolders();

  /** Runs one job to its end; what its middleware, its `perform` and the handlers logged, in order. */
  async function loggedFor(what: string, more: object = {}): Promise<readonly string[]> {
    const payload = { class: 'configured', args: [what], jid: `jid-${what}`, queue: 'default', ...more };
    await redis.connect().lpush(keys.queue('default'), JSON.stringify(payload));
    const command = start(['-r', fixture, '-t', '20'], { environment: { REDIS_URL: redis.url } });
    await command.logged(what === 'fail' ? /^fail/ : 'done');
    await stopped(command);
    const lines = command.log.filter((line) => 'by' in line || 'told' in line);
    expect(lines.every((line) => line.jid === `jid-${what}` && line.class === 'configured')).toBe(true);
    return lines.map(({ msg, told }) => (told === undefined ? msg : `${msg}: ${String(told)}`));
  }

  /** Its stop waits for the handlers: they run in the job's slot. */
  async function stopped(command: RunningCommand): Promise<void> {
    command.signal('SIGTERM');
    expect(await command.exitCode).toBe(exitCodes.stopped);
  }

  const names = ['outer', 'inner', 'tracking'];
  const around = [
    ...names.map((name) => `${name} begins`),
    'performs',
    ...names.toReversed().map((name) => `${name} ends`),
  ];

  test('its middleware runs around perform, the first added outermost', async () => {
    expect(await loggedFor('work')).toEqual(around);
  });

  test('of a failure that is retried its errorHandlers hear, and its deathHandlers do not', async () => {
    expect(await loggedFor('fail', { retry: 5 })).toEqual([...around, 'errorHandler: RangeError: as told']);
  });

  test('of the last failure both hear', async () => {
    expect(await loggedFor('fail', { retry: 0 })).toEqual([
      ...around,
      ...['errorHandler: RangeError: as told', 'deathHandler: RangeError: as told'],
    ]);
    expect(await redis.connect().zcard(keys.dead)).toBe(1);
  });

  const wrong: [how: string, source: string, message: RegExp][] = [
    [
      'throws',
      'export const configureServer = () => { throw new TypeError("no tracer") }',
      /TypeError: no tracer/,
    ],
    [
      'rejects',
      'export const configureServer = async () => { throw new TypeError("no tracer") }',
      /no tracer/,
    ],
    [
      'is no function',
      'export const configureServer = {}',
      /configureServer: expected a function, got an object/,
    ],
    [
      'names a middleware that is not there',
      'export const configureServer = (s) => s.middleware.insertBefore("timng", "a", (job, next) => next())',
      /no middleware is called "timng"/,
    ],
  ];

  test.each(wrong)(
    'that %s stops the start with exit code 3 and the name of its file',
    async (_how, source, message) => {
      const command = start(['-r', 'setup.mjs'], { folder: folderOf({ 'setup.mjs': source }) });
      expect(await command.exitCode).toBe(exitCodes.workers);
      const fatal = command.log.find(({ level }) => level === 'fatal');
      expect(fatal?.msg).toMatch(message);
      expect(fatal?.msg).toContain('setup.mjs');
    },
  );
});
