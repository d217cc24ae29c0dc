import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { type Logger, openConnection, silentLogger, whenReady } from '@tsq/core';
import { useRedis } from '@tsq/core/test-support';
import { Redis } from 'ioredis';
import { checkRedis } from './redis-check.js';

describe('checkRedis', () => {
  const redis = useRedis();

  test('finds a Redis as it should be, and says nothing', async () => {
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (_fields, message) => void warnings.push(message) };
    const facts = await checkRedis(redis.connect(), logger);
    expect(facts).toEqual({ version: expect.stringMatching(/^\d+\.\d+/), maxmemoryPolicy: 'noeviction' });
    expect(warnings).toEqual([]);
  });

  test('warns when keys may be evicted', async () => {
    const connection = redis.connect();
    await connection.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const warnings: object[] = [];
    await checkRedis(connection, { ...silentLogger, warn: (fields) => void warnings.push(fields) });
    await connection.config('SET', 'maxmemory-policy', 'noeviction');
    expect(warnings).toEqual([{ maxmemoryPolicy: 'allkeys-lru' }]);
  });

  test.each([
    ['5.0.14', 'TSQ_REDIS_UNSUITABLE'],
    ['6.0.20', 'TSQ_REDIS_UNSUITABLE'],
    ['6.1.0', 'TSQ_REDIS_UNSUITABLE'],
    ['what?', 'TSQ_REDIS_UNSUITABLE'],
  ])('refuses a server of version %s', async (version, code) => {
    await withServerOf(version, async (connection) => {
      await expect(checkRedis(connection, silentLogger)).rejects.toMatchObject({ code });
    });
  });

  test.each(['6.2.0', '7.0.15', '10.0.1'])('takes a server of version %s', async (version) => {
    await withServerOf(version, async (connection) => {
      expect((await checkRedis(connection, silentLogger)).version).toBe(version);
    });
  });

  test('a connection that is not there is TSQ_REDIS_UNAVAILABLE', async () => {
    const connection = openConnection({ url: redis.url }, { name: 'check' });
    await whenReady(connection);
    connection.disconnect();
    await expect(checkRedis(connection, silentLogger)).rejects.toMatchObject({
      code: 'TSQ_REDIS_UNAVAILABLE',
    });
  });
});

/** Other versions can't be installed side by side: a server that answers nothing but its version, to whatever is asked. */
async function withServerOf(version: string, use: (connection: Redis) => Promise<void>): Promise<void> {
  const text = `# Server\r\nredis_version:${version}\r\n`;
  const reply = `$${text.length}\r\n${text}\r\n`;
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      for (const _command of data.toString().matchAll(/^\*\d+\r$/gm)) socket.write(reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const connection = new Redis(port, '127.0.0.1', {
    enableReadyCheck: false,
    disableClientInfo: true,
    protocol: 2,
  });
  try {
    await use(connection);
  } finally {
    connection.disconnect();
    await new Promise((resolve) => server.close(resolve));
  }
}
