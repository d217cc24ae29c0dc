import { describe, expect, test } from '@jest/globals';
import { describeWithRuby, useRedis } from '../test-support/index.js';
import { Stats } from './stats.js';
import { StatsHistory } from './stats-history.js';

const job = (more: string) => `{"class":"W","args":[],"jid":"j"${more}}`;

describe('Stats', () => {
  const server = useRedis();

  test('of an empty Redis are zeros', async () => {
    expect(await new Stats(server.connect()).fetch()).toEqual({
      ...{ processed: 0, failed: 0, enqueued: 0, scheduledSize: 0, retrySize: 0, deadSize: 0 },
      ...{ processesSize: 0, workersSize: 0, defaultQueueLatencySeconds: 0, queues: new Map() },
    });
  });

  test('list the queues with the largest first', async () => {
    const redis = server.connect();
    await redis.sadd('queues', 'a', 'b', '__proto__');
    await redis.lpush('queue:b', '1', '2');
    await redis.lpush('queue:__proto__', '1');
    const stats = new Stats(redis);
    expect([...(await stats.queues())]).toEqual([
      ['b', 2],
      ['__proto__', 1],
      ['a', 0],
    ]);
    expect(await stats.fetch()).toMatchObject({ enqueued: 3, queues: await stats.queues() });
  });

  test('reset sets both totals to 0, or the named one only, and no count of a day', async () => {
    const redis = server.connect();
    const stats = new Stats(redis);
    const totals = async () => [await redis.get('stat:processed'), await redis.get('stat:failed')];
    await redis.mset('stat:processed', 7, 'stat:failed', 3, 'stat:failed:2026-01-01', 3);
    await stats.reset('failed');
    expect(await totals()).toEqual(['7', '0']);
    await stats.reset();
    expect(await totals()).toEqual(['0', '0']);
    expect(await redis.get('stat:failed:2026-01-01')).toBe('3');
  });

  test.each([
    ['seconds', '1.5'],
    ['milliseconds', '1500'],
  ])('the latency reads %s, as the number says', async (_dialect, enqueuedAt) => {
    const redis = server.connect();
    await redis.lpush('queue:default', job(`,"enqueued_at":${enqueuedAt}`));
    const [seconds] = await redis.time();
    const { defaultQueueLatencySeconds } = await new Stats(redis).fetch();
    expect(Math.abs(defaultQueueLatencySeconds - (Number(seconds) - 1.5))).toBeLessThan(60);
  });

  test('a counter of the wrong type is an error, and not a zero', async () => {
    const redis = server.connect();
    await redis.lpush('stat:failed', 'x');
    await expect(new Stats(redis).fetch()).rejects.toThrow('WRONGTYPE');
  });
});

describe('StatsHistory', () => {
  const server = useRedis();

  test('counts back from a day, with zeros where nothing was written', async () => {
    const redis = server.connect();
    await redis.mset(
      'stat:processed:2024-03-01',
      5,
      'stat:processed:2024-02-28',
      2,
      'stat:failed:2024-02-29',
      1,
    );
    const history = new StatsHistory(redis, 3, '2024-03-01');
    expect([...(await history.processed())]).toEqual([
      ['2024-03-01', 5],
      ['2024-02-29', 0],
      ['2024-02-28', 2],
    ]);
    expect([...(await history.failed()).values()]).toEqual([0, 1, 0]);
  });

  test("ends today, by Redis' clock in UTC, when no day is given", async () => {
    const redis = server.connect();
    const today = async () => new Date(Number((await redis.time())[0]) * 1000).toISOString().slice(0, 10);
    const before = await today();
    const [day] = [...(await new StatsHistory(redis, 1).processed()).keys()];
    expect([before, await today()]).toContain(day);
  });

  test.each([0, -1, 1826, 1.5, Number.NaN])('refuses %p days', (days) => {
    expect(() => new StatsHistory(server.connect(), days)).toThrow(
      expect.objectContaining({
        code: 'TSQ_STATS_DAYS_INVALID',
        message: expect.stringContaining('1 to 1825'),
      }),
    );
  });

  test.each(['2026-02-30', '26-2-3', 'today', ''])('refuses the day %p', (day) => {
    expect(() => new StatsHistory(server.connect(), 1, day)).toThrow(
      expect.objectContaining({ code: 'TSQ_STATS_DAYS_INVALID' }),
    );
  });
});

describeWithRuby("Ruby's statistics of the same Redis", (ruby) => {
  const server = useRedis();

  test('equal ours, number by number', async () => {
    const redis = server.connect();
    await redis.mset('stat:processed', 12, 'stat:failed', '3', 'stat:processed:2026-01-02', 4);
    await redis.sadd('queues', 'default', 'low');
    await redis.lpush('queue:default', job(',"enqueued_at":1795466562.5'), job(''));
    await redis.lpush('queue:low', job(''));
    await redis.zadd('schedule', 1, 'a', 2, 'b');
    await redis.zadd('retry', 1, 'a');
    await redis.zadd('dead', 1, 'a', 2, 'b', 3, 'c');
    await redis.sadd('processes', 'p:1:a', 'p:2:b');
    await redis.hset('p:1:a', { info: '{}', busy: 4 });
    const theirs = await ruby.run(
      `stats = Sidekiq::Stats.new
       history = Sidekiq::Stats::History.new(3, Date.new(2026, 1, 3))
       [stats.processed, stats.failed, stats.enqueued, stats.scheduled_size, stats.retry_size, stats.dead_size,
        stats.processes_size, stats.workers_size, stats.queues.to_a, stats.default_queue_latency > 0,
        history.processed.map { |day, count| [day.to_s, count] }, history.failed.map { |day, count| [day.to_s, count] }]`,
      { redisUrl: server.url },
    );
    const ours = await new Stats(redis).fetch();
    const history = new StatsHistory(redis, 3, '2026-01-03');
    expect([
      ...[ours.processed, ours.failed, ours.enqueued, ours.scheduledSize, ours.retrySize, ours.deadSize],
      ...[ours.processesSize, ours.workersSize, [...ours.queues], ours.defaultQueueLatencySeconds > 0],
      ...[[...(await history.processed())], [...(await history.failed())]],
    ]).toEqual(theirs);
  });
});
