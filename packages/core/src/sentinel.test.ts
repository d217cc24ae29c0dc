/** Connections by way of a sentinel: they are on the primary, before and after a failover. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { Client } from './client.js';
import { openConnection, whenReady } from './connection.js';
import { checkLocation } from './redis-location.js';
import { eventually, freePort, RecordingLogger, SentinelGroup } from './test-support/index.js';

describe('a connection by way of a sentinel', () => {
  let group = new SentinelGroup();
  const open: Redis[] = [];
  beforeEach(async () => {
    group = new SentinelGroup();
    await group.start();
  }, 30_000);
  afterEach(async () => {
    for (const redis of open.splice(0)) redis.disconnect();
    await group.stop();
  });

  function connect() {
    const logger = new RecordingLogger();
    const redis = openConnection(group.location, { name: 'some', logger });
    open.push(redis);
    return { redis, logger };
  }

  const portOf = async (redis: Redis) => Number(/tcp_port:(\d+)/.exec(await redis.info('server'))?.[1]);

  test('is on the primary, and on the new one after a failover', async () => {
    const { redis, logger } = connect();
    await whenReady(redis);
    expect(await portOf(redis)).toBe(group.one.port);
    await group.one.kill();
    await group.untilNotOn(group.one.port);
    await eventually(async () => expect(await portOf(redis)).toBe(group.other.port), 20_000);
    await redis.lpush('queue:default', 'written');
    await eventually(() => expect(logger.matching('info', 'Redis is back')).toHaveLength(1));
    expect(logger.matching('warn', '')).toHaveLength(1);
  });

  test('leaves a primary that was made a replica, and works on where the writes are', async () => {
    const { redis } = connect();
    await whenReady(redis);
    await group.handOver();
    // Until it is told, the old one takes writes; they are gone when it becomes a replica. That is Redis' own.
    await eventually(async () => expect(await portOf(redis)).toBe(group.other.port), 20_000);
    await redis.lpush('queue:default', 'written');
    expect(await group.other.connect().llen('queue:default')).toBeGreaterThan(0);
  });

  test('waits for a sentinel that is away, with one line in the log', async () => {
    await group.killSentinel();
    const { redis, logger } = connect();
    await eventually(() => expect(logger.matching('warn', 'Redis is away')).toHaveLength(1));
    await expect(whenReady(redis, 1_500)).rejects.toThrow(/All sentinels are unreachable/);
    await group.startSentinel();
    await whenReady(redis, 10_000);
    expect(logger.matching('warn', '')).toHaveLength(1);
  });

  test('is for a Client too', async () => {
    await using client = new Client({ redis: group.location });
    await client.enqueue('X');
    expect(await group.one.connect().llen('queue:default')).toBe(1);
  });
});

describe('the location of sentinels', () => {
  test('when no sentinel answers a connection ends at once that is closed', async () => {
    const nodes = [`127.0.0.1:${await freePort()}`];
    const redis = openConnection(
      { url: 'redis://localhost', sentinel: { nodes, master: 'm' } },
      { name: 'some' },
    );
    const waiting = whenReady(redis);
    redis.disconnect();
    await expect(waiting).rejects.toThrow(/the connection was closed/);
  });

  const url = 'redis://localhost';
  test.each([
    [{ nodes: [], master: 'm' }, /sentinel\.nodes: expected a list with host:port of a sentinel/],
    [{ nodes: ['a:b'], master: 'm' }, /expected host:port of a sentinel.*got string "a:b"/],
    [{ nodes: ['a:0'], master: 'm' }, /expected host:port of a sentinel/],
    [{ nodes: ['user:secret@a:1'], master: 'm' }, /expected host:port of a sentinel/],
    [{ nodes: ['a'], master: '' }, /sentinel\.master: expected what the sentinels call the primary/],
  ])('%j is refused', (sentinel, message) => {
    expect(() => checkLocation({ url, sentinel })).toThrow(
      expect.objectContaining({ code: 'TSQ_CONFIG_INVALID', message: expect.stringMatching(message) }),
    );
  });

  test.each(['a', 'a:1', '10.0.0.1:26379', '[::1]:26379', '[fe80::1]'])('%s is taken', (node) => {
    expect(() => checkLocation({ url, sentinel: { nodes: [node], master: 'm' } })).not.toThrow();
  });
});
