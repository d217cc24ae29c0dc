import { describe, expect, test } from '@jest/globals';
import { unavailable } from './connection.js';
import { LuaScript } from './lua-script.js';
import { useRedis } from './test-support/index.js';

describe('a script that meets a key of the wrong type', () => {
  const redis = useRedis();
  const script = new LuaScript(new URL('./cancel.lua', import.meta.url));

  test('says what its keys hold, and so does the error that wraps it', async () => {
    const connection = redis.connect();
    await connection.set('tsq:cancelled', 'not ours');
    const keys = ['tsq:cancelled', 'it-x'];
    const error = await script.run(connection, keys, ['x', '3600']).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^WRONGTYPE/),
      keys: { 'tsq:cancelled': 'string' },
    });
    expect(unavailable('a claim', error)).toMatchObject({ keys: { 'tsq:cancelled': 'string' } });
  });

  test('throws another error as it is', async () => {
    const run = script.run(redis.connect(), ['tsq:cancelled', 'it-x'], ['x', 'no number']);
    const error = await run.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: expect.stringMatching(/^ERR/) });
    expect(error).not.toHaveProperty('keys');
  });
});
