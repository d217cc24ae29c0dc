/** What the log says of a process whose connections are cut together, one by one, and again and again. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { openConnection, whenReady } from './connection.js';
import { Outages } from './outages.js';
import { eventually, RecordingLogger, TcpProxy, useRedis } from './test-support/index.js';

describe('Outages', () => {
  const server = useRedis();
  const open: Redis[] = [];
  afterEach(() => {
    for (const redis of open.splice(0)) redis.disconnect();
  });

  async function process(connections: number, url = server.url) {
    const logger = new RecordingLogger();
    const outages = new Outages(logger);
    const report = outages.hear;
    const all = Array.from({ length: connections }, (_, at) =>
      openConnection({ url }, { name: `connection-${at}`, report, commandTimeoutMs: 200 }),
    );
    open.push(...all);
    for (const redis of all) await whenReady(redis);
    const said = () => logger.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message);
    return { logger, outages, all, said };
  }

  const away = 'Redis is away; trying again until it is back';

  test('six connections of a process that lose Redis cost two lines; their names are at debug', async () => {
    const it = await process(6);
    await server.kill();
    await eventually(() => expect(it.logger.matching('debug', 'in trouble')).toHaveLength(6));
    expect(it.said()).toEqual([away]);
    expect(it.outages.isAway).toBe(true);
    await server.start();
    await eventually(() => expect(it.said()).toEqual([away, 'Redis is back']));
    const back = it.logger.lines.find(({ message }) => message === 'Redis is back');
    expect(back?.fields).toEqual({ awayMs: expect.any(Number) });
    expect(it.logger.matching('debug', 'is ready')).toHaveLength(6);
    expect(it.outages.isAway).toBe(false);
  });

  test('a Redis that swallows everything is away, and back when it answers', async () => {
    const proxy = await TcpProxy.before(server.port);
    await using _closing = { [Symbol.asyncDispose]: () => proxy.close() };
    const it = await process(3, proxy.url);
    proxy.mode = 'hole';
    await Promise.allSettled(it.all.map((redis) => redis.ping()));
    await eventually(() => expect(it.said()).toEqual([away]));
    proxy.mode = 'pass';
    await eventually(() => expect(it.said()).toEqual([away, 'Redis is back']));
  });

  test('is away as long as one connection is cut again and again', async () => {
    const proxy = await TcpProxy.before(server.port);
    await using _closing = { [Symbol.asyncDispose]: () => proxy.close() };
    const it = await process(2, proxy.url);
    let closed = 0;
    it.all[0]?.on('close', () => {
      closed += 1;
    });
    for (let cut = 1; cut <= 5; cut += 1) {
      await eventually(() => expect(it.all[0]?.status).toBe('ready'));
      proxy.resetAll();
      await eventually(() => expect(closed).toBe(cut));
    }
    await eventually(() => expect(it.said()).toEqual([away, 'Redis is back']));
  });

  test('connections that are closed on purpose say nothing, and end no outage', async () => {
    const it = await process(2);
    await server.kill();
    await eventually(() => expect(it.said()).toEqual([away]));
    for (const redis of it.all) redis.disconnect();
    expect(it.said()).toEqual([away]);
    await server.start();
    const next = openConnection({ url: server.url }, { name: 'next', report: it.outages.hear });
    open.push(next);
    await eventually(() => expect(it.said()).toEqual([away, 'Redis is back']));
  });
});
