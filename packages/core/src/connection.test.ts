/** What is said of a connection that does not come about: in the log, and by those who wait for it. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { Client } from './client.js';
import { openConnection, whenReady } from './connection.js';
import { eventually, freePort, RecordingLogger, useRedis } from './test-support/index.js';

describe('a connection', () => {
  const server = useRedis();
  const open: Redis[] = [];
  afterEach(() => {
    for (const redis of open.splice(0)) redis.disconnect();
  });

  function connect(url: string) {
    const logger = new RecordingLogger();
    const redis = openConnection({ url }, { name: 'some', logger });
    open.push(redis);
    return { redis, logger };
  }

  /** Who is connected already stays so. */
  async function whileItAsksForAPassword(body: () => Promise<void>): Promise<void> {
    const admin = server.connect();
    await admin.config('SET', 'requirepass', 'right');
    try {
      await body();
    } finally {
      await admin.config('SET', 'requirepass', '');
    }
  }

  test('that is refused by the network says that Redis is away, once and without a stack', async () => {
    const { redis, logger } = connect(`redis://127.0.0.1:${await freePort()}/0`);
    let tries = 0;
    redis.on('reconnecting', () => {
      tries += 1;
    });
    await eventually(() => expect(tries).toBeGreaterThan(2));
    const reason = expect.stringMatching(/^connect ECONNREFUSED/);
    expect(logger.lines).toEqual([
      expect.objectContaining({ level: 'debug', fields: { connection: 'some', reason } }),
      { level: 'warn', message: 'Redis is away; trying again until it is back', fields: { reason } },
    ]);
  });

  test.each([
    ['no password', ''],
    ['a wrong password', ':wrong-secret@'],
    ['a wrong user', 'nobody:wrong-secret@'],
  ])('with %s says that the login is refused, and shows no password', async (_case, login) => {
    await whileItAsksForAPassword(async () => {
      const { redis, logger } = connect(`redis://${login}127.0.0.1:${server.port}/0`);
      await expect(whenReady(redis, 300)).rejects.toMatchObject({
        code: 'TSQ_REDIS_UNAVAILABLE',
        message: expect.stringMatching(/^Redis refuses the login: no connection .*Check the user name/),
      });
      await eventually(() => expect(logger.matching('warn', 'Redis refuses the login')).toHaveLength(1));
      expect(logger.matching('warn', 'is away')).toEqual([]);
      expect(JSON.stringify(logger.lines)).not.toContain('wrong-secret');
    });
  });

  test('to a database that the server lacks says so, and ends', async () => {
    const { redis, logger } = connect(`redis://127.0.0.1:${server.port}/99`);
    await expect(whenReady(redis)).rejects.toThrow(/^Redis lacks the database: .*at the end of its URL$/);
    expect(logger.matching('warn', '')).toHaveLength(1);
    expect(logger.matching('warn', 'Redis lacks the database; this connection ends')).toHaveLength(1);
    expect(redis.status).toBe('end');
  });

  test('of a client with a wrong password: its call says that the login was refused', async () => {
    await using client = new Client({ url: `redis://:wrong@127.0.0.1:${server.port}/0`, deadlineMs: 500 });
    await whileItAsksForAPassword(async () => {
      await expect(client.enqueue('X')).rejects.toMatchObject({
        outcome: 'not-pushed',
        message: expect.stringMatching(
          /^Redis refuses the login: nothing was sent.*WRONGPASS.*Check the user name/,
        ),
      });
    });
  });

  test('that may not choose its database sends nothing to another one', async () => {
    const admin = server.connect();
    await admin.call('ACL', 'SETUSER', 'penned', 'on', '>secret', '~*', '+@all', '-select');
    const { redis, logger } = connect(`redis://penned:secret@127.0.0.1:${server.port}/3`);
    await eventually(() => expect(logger.matching('warn', 'does not let this user choose')).toHaveLength(1));
    await expect(whenReady(redis, 3_000)).rejects.toThrow(/NOPERM/);
    await expect(redis.lpush('queue:default', '{}')).rejects.toThrow();
    await admin.call('ACL', 'DELUSER', 'penned');
    expect(await admin.dbsize()).toBe(0);
  });

  test('to a replica is not taken for one: it is tried again until the server is a primary', async () => {
    const admin = server.connect();
    await admin.call('REPLICAOF', '127.0.0.1', String(await freePort()));
    const { redis, logger } = connect(server.url);
    let tries = 0;
    redis.on('reconnecting', () => {
      tries += 1;
    });
    await eventually(() => expect(tries).toBeGreaterThan(2));
    await expect(whenReady(redis, 3_000)).rejects.toThrow(/^Redis is a replica, which takes no writes: /);
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await whenReady(redis, 5_000);
    await eventually(() => expect(logger.matching('info', 'Redis is back')).toHaveLength(1));
    expect(logger.matching('warn', '')).toEqual([expect.stringMatching(/^Redis is a replica/)]);
  });

  test('that is told BUSY waits until Redis serves again, and says so twice', async () => {
    const { redis, logger } = connect(server.url);
    const admin = server.connect();
    await whenReady(redis);
    await admin.config('SET', 'busy-reply-threshold', '20');
    const endless = server.connect();
    const script = endless.eval('while true do end', 0).catch((error: Error) => error.message);
    await eventually(() => expect(redis.ping()).rejects.toThrow(/BUSY/));
    await eventually(() => expect(logger.matching('warn', 'Redis is busy with a script')).toHaveLength(1));
    await eventually(() => expect(admin.call('SCRIPT', 'KILL')).resolves.toBe('OK'));
    await script;
    await whenReady(redis, 5_000);
    await eventually(() => expect(logger.matching('info', 'Redis is back')).toHaveLength(1));
    expect(logger.matching('warn', '')).toHaveLength(1);
  });

  test('to a server without room for it says so, and comes when there is some', async () => {
    const admin = server.connect();
    await admin.config('SET', 'maxclients', '1');
    const { redis, logger } = connect(server.url);
    await eventually(() => expect(logger.matching('warn', 'no room for another connection')).toHaveLength(1));
    await admin.config('SET', 'maxclients', '1000');
    await whenReady(redis, 5_000);
    await eventually(() => expect(logger.matching('info', 'Redis is back')).toHaveLength(1));
  });

  test('that somebody cuts is no news when it is made anew at once', async () => {
    const { redis, logger } = connect(server.url);
    const admin = server.connect();
    await whenReady(redis);
    let ready = 0;
    redis.on('ready', () => {
      ready += 1;
    });
    await admin.call('CLIENT', 'KILL', 'SKIPME', 'yes');
    await eventually(() => expect(ready).toBe(1));
    expect(logger.lines).toEqual([]);
  });

  test('is waited for by any number, without a warning of Node', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const { redis } = connect(`redis://127.0.0.1:${await freePort()}/0`);
    const waiting = Array.from({ length: 50 }, () => whenReady(redis, 50).catch(() => 'in vain'));
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => 'in vain'));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  test('to a URL that is none of Redis is not opened', () => {
    expect(() => connect('redis://localhost/zero')).toThrow(
      expect.objectContaining({ code: 'TSQ_CONFIG_INVALID' }),
    );
  });
});
