import { describe, expect, test } from '@jest/globals';
import { cancelIteration, iterationTtlSeconds } from './cancel-iteration.js';
import { keys } from './keys.js';
import { describeWithRuby, useRedis } from './test-support/index.js';

const jid = '0123456789abcdef01234567';
const key = keys.iteration(jid);

describe('cancelIteration', () => {
  const redis = useRedis();

  test('a job that has not begun gets a whole state with its mark, which expires', async () => {
    const connection = redis.connect();
    const before = Math.floor(Date.now() / 1_000);
    const cancelledAtSeconds = await cancelIteration(connection, jid);
    expect(cancelledAtSeconds).toBeGreaterThanOrEqual(before);
    expect(await connection.hgetall(key)).toEqual({
      ex: '0',
      c: 'null',
      rt: '0',
      cancelled: String(cancelledAtSeconds),
    });
    const ttlSeconds = await connection.ttl(key);
    expect(ttlSeconds).toBeGreaterThan(iterationTtlSeconds - 60);
    expect(ttlSeconds).toBeLessThanOrEqual(iterationTtlSeconds);
  });

  test('the state of a job that has begun stays as it is', async () => {
    const connection = redis.connect();
    const state = { ex: '3', c: '{"id":12345678901234567890}', rt: '11.500275' };
    await connection.hset(key, state);
    const cancelledAtSeconds = await cancelIteration(connection, jid);
    expect(await connection.hgetall(key)).toEqual({ ...state, cancelled: String(cancelledAtSeconds) });
  });

  test('cancelled twice, it tells when it was cancelled first', async () => {
    const connection = redis.connect();
    await connection.hset(key, { cancelled: 1_795_466_808 });
    expect(await cancelIteration(connection, jid)).toBe(1_795_466_808);
    // Ruby's own mark, alone, gets the state that its job can read.
    expect(await connection.hgetall(key)).toEqual({ ex: '0', c: 'null', rt: '0', cancelled: '1795466808' });
  });

  test('a jid that is empty is refused, and a key of another type is an error', async () => {
    const connection = redis.connect();
    await expect(cancelIteration(connection, '')).rejects.toMatchObject({ code: 'TSQ_JOB_INVALID' });
    await connection.set(key, 'x');
    await expect(cancelIteration(connection, jid)).rejects.toThrow('WRONGTYPE');
  });
});

describeWithRuby('what cancelIteration writes', (ruby) => {
  const redis = useRedis();

  test("is read by Ruby as Sidekiq's start of an iteration reads it", async () => {
    await cancelIteration(redis.connect(), jid);
    const script = `
      state = Sidekiq.redis { |c| c.hgetall("it-#{args[0]}") }
      { ex: state["ex"].to_i, c: Sidekiq.load_json(state["c"]), rt: state["rt"].to_f, cancelled: !state["cancelled"].nil? }
    `;
    const read = await ruby.run(script, { redisUrl: redis.url, args: [jid] });
    expect(read).toEqual({ ex: 0, c: null, rt: 0, cancelled: true });
  });
});
