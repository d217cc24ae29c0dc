import { describe, expect, test } from '@jest/globals';
import { openConnection, silentLogger, whenReady } from '@tsq/core';
import {
  eventually,
  freePort,
  itIsAComponent,
  RecordingLogger,
  TcpProxy,
  useRedis,
} from '@tsq/core/test-support';
import type { Redis } from 'ioredis';
import { RedisGate } from './redis-gate.js';

describe('the redis gate', () => {
  const redis = useRedis();

  function gate(patience: 'short' | 'endless', url = redis.url): RedisGate {
    const connection = openConnection({ url }, { name: 'gate' });
    return new RedisGate({
      redis: connection,
      shownUrl: 'shown',
      patience,
      logger: silentLogger,
      firstAnswerMs: 500,
    });
  }

  itIsAComponent(() => gate('endless'));

  test('opens when Redis answers, and its stop leaves no connection', async () => {
    const opened = gate('short');
    await opened.start();
    await opened.stop();
    await redis.expectNobodyConnected();
  });

  test('is closed for good when Redis is away and patience is short', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    await expect(gate('short', url).start()).rejects.toMatchObject({
      code: 'TSQ_REDIS_UNAVAILABLE',
      message: expect.stringMatching(/^Redis is not available: shown gave no connection .*ECONNREFUSED/),
    });
  });

  test('waits as long as Redis is away, and opens when it is back', async () => {
    await redis.kill();
    const connection = openConnection({ url: redis.url }, { name: 'gate' });
    const waiting = new RedisGate({
      ...{ redis: connection, shownUrl: '', logger: silentLogger },
      ...{ patience: 'endless', firstAnswerMs: 1 },
    });
    const started = waiting.start();
    await new Promise((resolve) => connection.once('reconnecting', resolve));
    await redis.start();
    await started;
    await waiting.stop();
  });

  /** A gate whose Redis went silent once its connection was ready, and was asked in vain. */
  async function stalled() {
    const proxy = await TcpProxy.before(redis.port);
    const connection = openConnection({ url: proxy.url }, { name: 'gate', commandTimeoutMs: 100 });
    await whenReady(connection);
    proxy.mode = 'hole';
    const logger = new RecordingLogger();
    const waiting = new RedisGate({ redis: connection, shownUrl: '', patience: 'endless', logger });
    const started = waiting.start();
    started.catch(() => undefined); // each test looks at it itself
    await eventually(() => expect(logger.matching('debug', "Can't check Redis")).not.toEqual([]));
    return { proxy, waiting, started };
  }

  test('waits for a Redis that stalls after it was ready', async () => {
    const { proxy, waiting, started } = await stalled();
    proxy.mode = 'pass';
    await started;
    await waiting.stop();
    await proxy.close();
  });

  test('a stop ends the waiting for a Redis that stalls', async () => {
    const { proxy, waiting, started } = await stalled();
    await waiting.stop();
    await expect(started).rejects.toMatchObject({ code: 'TSQ_COMPONENT_STOPPED' });
    await proxy.close();
  });

  test('a stop ends the waiting, also between two tries', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const connection = openConnection({ url }, { name: 'gate' });
    const waiting = new RedisGate({
      redis: connection,
      shownUrl: url,
      patience: 'endless',
      logger: silentLogger,
    });
    const refused = expect(waiting.start()).rejects.toMatchObject({ code: 'TSQ_COMPONENT_STOPPED' });
    await new Promise((resolve) => connection.once('reconnecting', resolve));
    await waiting.stop();
    await refused;
  });
});

describe('the redis gate before a Redis that wants a password', () => {
  const redis = useRedis();

  /** While `run` runs; the connection that it gets is logged in. */
  async function withPassword(run: (admin: Redis) => Promise<void>): Promise<void> {
    const admin = redis.connect();
    await admin.config('SET', 'requirepass', 'right');
    try {
      await run(admin);
    } finally {
      await admin.config('SET', 'requirepass', '');
    }
  }

  function gateFor(login: string, patience: 'short' | 'endless', logger: RecordingLogger): RedisGate {
    const url = redis.url.replace('//', `//${login}`);
    const connection = openConnection({ url }, { name: 'gate', logger });
    // Far beyond what a test may take: only the refusal ends the short patience.
    return new RedisGate({ redis: connection, shownUrl: 'shown', patience, logger, firstAnswerMs: 600_000 });
  }

  test.each([
    ['without one', '', 'NOAUTH'],
    ['with a wrong one', ':guess@', 'WRONGPASS'],
  ])('is closed at once %s when patience is short, and says why', async (_how, login, code) => {
    await withPassword(async () => {
      const failure: unknown = await gateFor(login, 'short', new RecordingLogger())
        .start()
        .catch((error: unknown) => error);
      const message = new RegExp(`^shown: Redis refuses the login \\(${code} .*Check the user`);
      expect(failure).toMatchObject({
        code: 'TSQ_REDIS_UNAVAILABLE',
        message: expect.stringMatching(message),
      });
      expect(String(failure)).not.toContain('guess');
    });
  });

  test('says so in one line when patience is endless, and opens once the server takes the password', async () => {
    const logger = new RecordingLogger();
    await withPassword(async (admin) => {
      const gate = gateFor(':guess@', 'endless', logger);
      const started = gate.start();
      await eventually(() => expect(logger.matching('warn', 'refuses the login')).toHaveLength(1));
      await admin.config('SET', 'requirepass', 'guess');
      await started;
      await gate.stop();
      expect(logger.matching('warn', '')).toHaveLength(1);
    });
  });
});

describe('the redis gate before a cluster', () => {
  const redis = useRedis(['--cluster-enabled', 'yes']);

  test('stays closed: no script can span the keys of a job there', async () => {
    const connection = openConnection({ url: redis.url }, { name: 'gate' });
    const gate = new RedisGate({ redis: connection, shownUrl: '', patience: 'short', logger: silentLogger });
    await expect(gate.start()).rejects.toMatchObject({ code: 'TSQ_REDIS_UNSUITABLE' });
  });
});
