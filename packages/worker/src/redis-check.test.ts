import { describe, expect, test } from '@jest/globals';
import { type Logger, openConnection, silentLogger, whenReady } from '@tsq/core';
import { useRedis } from '@tsq/core/test-support';
import { checkRedis, checkVersion } from './redis-check.js';

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

  test('a connection that is not there is TSQ_REDIS_UNAVAILABLE', async () => {
    const connection = openConnection({ url: redis.url }, { name: 'check' });
    await whenReady(connection);
    connection.disconnect();
    await expect(checkRedis(connection, silentLogger)).rejects.toMatchObject({
      code: 'TSQ_REDIS_UNAVAILABLE',
    });
  });
});

describe('checkVersion', () => {
  test.each(['5.0.14', '6.0.20', '6.1.0', 'what?', ''])(
    'refuses "%s", and says what is expected',
    (version) => {
      const refusal = { code: 'TSQ_REDIS_UNSUITABLE', message: expect.stringContaining('6.2') };
      expect(() => checkVersion(version)).toThrow(expect.objectContaining(refusal));
    },
  );

  test.each(['6.2.0', '7.0.15', '10.0.1'])('takes %s', (version) => {
    expect(() => checkVersion(version)).not.toThrow();
  });
});
