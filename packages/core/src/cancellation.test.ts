import { describe, expect, test } from '@jest/globals';
import { cancelJob, cancelledKey, cancelledOf, forgetCancellation } from './cancellation.js';
import { WorkSet } from './data/work-set.js';
import { describeWithRuby, useRedis } from './test-support/index.js';

const redis = useRedis();

describe('a cancellation', () => {
  test('is noted, holds for 30 days, and the keys go with it', async () => {
    const connection = redis.connect();
    await cancelJob(connection, 'j1');
    expect(await cancelledOf(connection, ['j0', 'j1', 'j2'])).toEqual(new Set(['j1']));
    const [seconds] = await connection.time();
    const until = Number(await connection.zscore(cancelledKey(), 'j1'));
    expect(until - Number(seconds)).toBeGreaterThan(2_591_990);
    for (const key of [cancelledKey(), 'it-j1']) expect(await connection.ttl(key)).toBeGreaterThan(2_591_990);
  });

  test("S6: is over by Redis' clock, and the next one sweeps it away", async () => {
    const connection = redis.connect();
    await connection.zadd(cancelledKey(), 1, 'old');
    expect(await cancelledOf(connection, ['old'])).toEqual(new Set());
    await cancelJob(connection, 'j1');
    expect(await connection.zrange(cancelledKey(), '0', '-1')).toEqual(['j1']);
  });

  test('L3: forgotten, it leaves no key', async () => {
    const connection = redis.connect();
    await cancelJob(connection, 'j1', 'other');
    expect(await cancelledOf(connection, ['j1'], 'other')).toEqual(new Set(['j1']));
    await forgetCancellation(connection, 'j1', 'other');
    expect(await connection.keys('*')).toEqual([]);
  });

  test('by WorkSet is the same', async () => {
    const connection = redis.connect();
    await new WorkSet(connection).cancel('j1');
    expect(await cancelledOf(connection, ['j1'])).toEqual(new Set(['j1']));
  });

  test('leaves what an iterable job has noted of its progress', async () => {
    const connection = redis.connect();
    await connection.hset('it-j1', { ex: '3', c: '"cursor"', rt: '1.5' });
    await cancelJob(connection, 'j1');
    const fields = await connection.hgetall('it-j1');
    expect(fields).toEqual({
      ex: '3',
      c: '"cursor"',
      rt: '1.5',
      cancelled: expect.stringMatching(/^\d{10}$/),
    });
  });

  test('before an iterable job has noted anything gives it a whole hash: without a cursor Ruby fails the job', async () => {
    const connection = redis.connect();
    await cancelJob(connection, 'j1');
    expect(await connection.hgetall('it-j1')).toEqual({
      ...{ ex: '0', c: 'null', rt: '0.0' },
      cancelled: expect.stringMatching(/^\d{10}$/),
    });
  });

  test('is noted though the key of the iteration holds something else, which stays', async () => {
    const connection = redis.connect();
    await connection.set('it-j1', 'no hash');
    await cancelJob(connection, 'j1');
    expect(await cancelledOf(connection, ['j1'])).toEqual(new Set(['j1']));
    expect(await connection.get('it-j1')).toBe('no hash');
  });

  test('is noted by a full Redis', async () => {
    const connection = redis.connect();
    await connection.config('SET', 'maxmemory', '1');
    await cancelJob(connection, 'j1').finally(() => connection.config('SET', 'maxmemory', '0'));
    expect(await cancelledOf(connection, ['j1'])).toEqual(new Set(['j1']));
  });

  test('of nothing is refused', async () => {
    await expect(cancelJob(redis.connect(), '')).rejects.toMatchObject({ code: 'TSQ_JOB_INVALID' });
  });
});

describeWithRuby('what Ruby reads of a cancellation', (ruby) => {
  test('is JSON and numbers where Sidekiq expects them', async () => {
    await cancelJob(redis.connect(), 'j1');
    const read = await ruby.run(
      `hash = Sidekiq.redis { |redis| redis.hgetall('it-j1') }
       [JSON.parse(hash['c'], quirks_mode: true), Integer(hash['ex']), Float(hash['rt']), Integer(hash['cancelled']) > 0]`,
      { redisUrl: redis.url },
    );
    expect(read).toEqual([null, 0, 0, true]);
  });
});
