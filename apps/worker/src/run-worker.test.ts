/** The whole process, with a real Redis and real signals: it loads, works, and stops without losing a job. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { keys } from '@tsq/core';
import { eventually, TcpProxy, useRedis } from '@tsq/core/test-support';
import { exitCodes } from './exit-codes.js';
import { type RunningCommand, useCommand } from './test-support/command.js';

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));

describe('a worker process', () => {
  const redis = useRedis();
  const start = useCommand();

  function startOn(workers: string, ...args: string[]): RunningCommand {
    const environment = { REDIS_URL: redis.url };
    return start(['-r', `${fixtures}${workers}`, '--beat-interval', '0.2', ...args], { environment });
  }

  async function push(name: string, ...args: unknown[]): Promise<Buffer> {
    const bytes = JSON.stringify({ class: name, args, jid: `jid-of-${name}`, queue: 'default', retry: true });
    await redis.connect().lpush(keys.queue('default'), bytes);
    return Buffer.from(bytes);
  }

  async function queued(): Promise<string[]> {
    return await redis.connect().lrange(keys.queue('default'), 0, -1);
  }

  async function stopped(command: RunningCommand): Promise<void> {
    command.signal('SIGTERM');
    expect(await command.exitCode).toBe(exitCodes.stopped);
  }

  test.each([
    ['esm/workers.ts', 'EsmClass'],
    ['esm', 'esm_function'],
    ['cjs/*.ts', 'Cjs::Class'],
    ['experimental-esm', 'ExperimentalEsm'],
    ['experimental-cjs/workers.ts', 'ExperimentalCjs'],
    ['javascript', 'common_js'],
    ['javascript/deep/module.mjs', 'module_js'],
  ])('loads %s and runs its worker %s within a job', async (workers, name) => {
    await push(name, 'hello');
    const command = startOn(workers);
    expect(await command.logged(/ performs$/)).toMatchObject({ text: 'hello', jid: `jid-of-${name}` });
    await stopped(command);
    expect(command.log[0]?.pid).toBe(command.child.pid);
  });

  test('hidden it works as ever, and no key of Sidekiq says that it was there', async () => {
    await push('esm_function', 'hello');
    const command = startOn('esm', '--hidden', '--poll-average', '86400');
    await command.logged(/ performs$/);
    await stopped(command);
    expect(await redis.connect().keys('*')).toEqual([]);
  });

  test('a stop waits for what runs', async () => {
    await push('slow', 400);
    const command = startOn('behaviour');
    await command.logged('slow began');
    await stopped(command);
    expect(command.log.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['stopping: waiting for running jobs', 'done']),
    );
    expect(await queued()).toEqual([]);
  });

  test.each([
    ['its timeout is over', ['-t', '0'], 1],
    ['it is asked for twice', ['-t', '60'], 2],
  ])('S1: a stop puts what runs back as it was when %s', async (_when, args, signals) => {
    const bytes = await push('slow', 60_000);
    const command = startOn('behaviour', ...args);
    await command.logged('slow began');
    command.signal('SIGINT');
    await command.logged('stopping: waiting');
    if (signals === 2) command.signal('SIGTERM');
    expect(await command.exitCode).toBe(exitCodes.stopped);
    expect(await queued()).toEqual([bytes.toString()]);
  });

  test('TSTP ends the taking of jobs, and not the process', async () => {
    const command = startOn('behaviour');
    await command.logged('ready: takes jobs');
    command.signal('SIGTSTP');
    const [identity = ''] = await redis.connect().smembers(keys.processes);
    await eventually(async () =>
      expect(await redis.connect().hget(keys.process(identity), 'quiet')).toBe('true'),
    );
    await push('slow', 1);
    await stopped(command);
    expect(await queued()).toHaveLength(1);
  });

  test.each([
    ['and to those up to 6.4.1', [], ['work', 'workers']],
    ['and not to those up to 6.4.1 when told so', ['--no-old-readers'], ['work']],
  ])("what runs is shown to Sidekiq's pages of today, %s", async (_whom, args, kinds) => {
    await push('slow', 60_000);
    const command = startOn('behaviour', '-t', '0', ...args);
    await command.logged('slow began');
    const connection = redis.connect();
    const [identity = ''] = await connection.smembers(keys.processes);
    await eventually(async () => expect(await connection.exists(keys.work(identity))).toBe(1));
    const shown = (await connection.keys(`${identity}:*`)).map((key) => key.slice(identity.length + 1));
    expect(shown.toSorted()).toEqual(kinds);
    await stopped(command);
  });

  test('TTIN says what runs', async () => {
    await push('slow', 60_000);
    const command = startOn('behaviour', '-t', '0');
    await command.logged('slow began');
    command.signal('SIGTTIN');
    expect(await command.logged('runs for')).toMatchObject({
      class: 'slow',
      jid: 'jid-of-slow',
      queue: 'default',
    });
    expect(await command.logged('1 running')).toMatchObject({ resources: expect.any(Object) });
    await stopped(command);
  });

  test('a signal that is sent through Redis does the same', async () => {
    const command = startOn('behaviour');
    await command.logged('ready: takes jobs');
    const [identity = ''] = await redis.connect().smembers(keys.processes);
    await redis.connect().lpush(keys.signals(identity), 'TERM');
    expect(await command.exitCode).toBe(exitCodes.stopped);
    expect(await redis.connect().smembers(keys.processes)).toEqual([]);
  });

  test.each(['stray', 'stray_promise'])(
    'S1: an error of %s that nothing caught ends the process with its jobs back on their queues',
    async (name) => {
      const bytes = await push(name);
      const command = startOn('behaviour', '-t', '60');
      expect(await command.exitCode).toBe(exitCodes.unexpected);
      expect(command.log.find(({ level }) => level === 'fatal')).toMatchObject({
        err: { message: 'left behind' },
      });
      expect(await queued()).toEqual([bytes.toString()]);
    },
  );

  test('jobs go on when nobody reads stdout any more', async () => {
    const command = startOn('behaviour');
    await command.logged('ready: takes jobs');
    command.child.stdout?.destroy();
    for (let job = 0; job < 3; job += 1) await push('slow', 1);
    await eventually(async () => expect(await redis.connect().get(keys.processed)).toBe('3'));
    await stopped(command);
    expect(command.stderr).toContain('nobody reads stdout any more');
  });

  test('a file that is named twice is loaded once', async () => {
    const twice = ['-r', `${fixtures}esm/workers.ts`, '-r', `${fixtures}esm/./workers.ts`];
    const command = start(twice, { environment: { REDIS_URL: redis.url } });
    await command.logged('starts');
    await stopped(command);
  });

  test('a stop while Redis is away ends the waiting', async () => {
    const command = start(['-r', `${fixtures}behaviour`], {
      environment: { REDIS_URL: 'redis://127.0.0.1:1' },
    });
    await command.logged('Redis is away');
    await stopped(command);
  });

  test('S1: a stop that Redis does not confirm exits with a code of its own, and the job stays claimed', async () => {
    const proxy = await TcpProxy.before(redis.port);
    const bytes = await push('slow', 60_000);
    const args = ['-r', `${fixtures}behaviour`, '-t', '0', '--tracked', 'all'];
    const command = start(args, { environment: { REDIS_URL: proxy.url } });
    await command.logged('slow began');
    proxy.mode = 'hole';
    command.signal('SIGTERM');
    expect(await command.exitCode).toBe(exitCodes.unconfirmed);
    expect(await command.logged('Redis did not confirm')).toMatchObject({ level: 'error' });
    await proxy.close();
    const [claim = ''] = await redis.connect().keys('tsq:job:*');
    expect(await redis.connect().getBuffer(claim)).toEqual(bytes);
  });

  test('starts once Redis is there', async () => {
    await redis.kill();
    const command = startOn('behaviour');
    await command.logged('Redis is away');
    await redis.start();
    await command.logged('ready: takes jobs');
    await stopped(command);
  });
});
