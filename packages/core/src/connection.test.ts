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
    expect(logger.lines).toEqual([
      expect.objectContaining({
        message: 'Redis is away; trying again until it is back',
        fields: { connection: 'some', reason: expect.stringMatching(/^connect ECONNREFUSED/) },
      }),
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
    expect(logger.lines).toHaveLength(1);
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

  test('to a URL that is none of Redis is not opened', () => {
    expect(() => connect('redis://localhost/zero')).toThrow(
      expect.objectContaining({ code: 'TSQ_CONFIG_INVALID' }),
    );
  });
});
