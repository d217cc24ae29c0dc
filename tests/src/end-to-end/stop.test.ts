/** How a worker process ends: what it had in hand goes back with the same bytes, and nobody runs it twice. */
import { describe, expect, test } from '@jest/globals';
import { eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const payload = (name: string, args: string) =>
  `{"class":"${name}", "args":${args},"jid":"0123456789abcdef01234567","x":1.0}`;

describe('tsq-worker, stopped', () => {
  const redis = useRedis();
  const tsq = useTsqWorkers();

  test.each(['Interop::Sleeping', 'Interop::Heeding'])(
    'a running %s goes back with its bytes at the deadline',
    async (name) => {
      const bytes = payload(name, '[60000]');
      const worker = await tsq.start(redis.url, '-t', '0.2');
      const admin = redis.connect();
      await admin.lpush('queue:default', bytes);
      await eventually(async () => expect(await admin.llen('queue:default')).toBe(0));
      await eventually(() =>
        expect(tsq.journal.lines('start').some((line) => line.pid === worker.pid)).toBe(true),
      );
      expect(await worker.end('SIGTERM')).toBe(0);
      expect(await admin.lrange('queue:default', 0, -1)).toEqual([bytes]);
      expect([
        await admin.zcard('retry'),
        await admin.keys('tsq:*'),
        await admin.smembers('processes'),
      ]).toEqual([0, [], []]);
    },
  );

  test('a job that ends before the deadline ends there, and is not given back', async () => {
    const worker = await tsq.start(redis.url, '-t', '20');
    const admin = redis.connect();
    await admin.lpush('queue:default', payload('Interop::Sleeping', '[300]'));
    await eventually(() =>
      expect(tsq.journal.lines('start').some((line) => line.pid === worker.pid)).toBe(true),
    );
    expect(await worker.end('SIGTERM')).toBe(0);
    expect(tsq.journal.lines('end').some((line) => line.pid === worker.pid)).toBe(true);
    expect(await admin.llen('queue:default')).toBe(0);
  });

  test('asked a second time it stops at once: what runs goes back with its bytes, long before the timeout', async () => {
    const bytes = payload('Interop::Gated', '[false]');
    const worker = await tsq.start(redis.url, '-t', '600');
    const admin = redis.connect();
    await admin.lpush('queue:default', bytes);
    const ownStarts = () => tsq.journal.lines('start').filter((line) => line.pid === worker.pid);
    await eventually(() => expect(ownStarts()).toHaveLength(1));
    worker.signal('SIGTERM');
    await eventually(() => expect(worker.log).toContain('stopping: waiting for running jobs'));
    expect(worker.ending).toBeUndefined();
    expect(await worker.end('SIGTERM')).toBe(0);
    expect(worker.log).toContain('asked again: stopping at once');
    expect(await admin.lrange('queue:default', 0, -1)).toEqual([bytes]);
    expect(await admin.keys('tsq:*')).toEqual([]);
  });

  test('a preStop hook that sends TSTP: it takes nothing new from then on, and TERM finds it with what ran', async () => {
    const worker = await tsq.start(redis.url, '-t', '600', '-c', '5');
    const admin = redis.connect();
    await admin.lpush('queue:default', payload('Interop::Gated', '[true]'));
    const ownStarts = () => tsq.journal.lines('start').filter((line) => line.pid === worker.pid);
    await eventually(() => expect(ownStarts()).toHaveLength(1));
    worker.signal('SIGTSTP');
    // The job heeds `stopping`: when it has ended, the process takes no more jobs.
    await eventually(() => expect(tsq.journal.lines('end').some(({ pid }) => pid === worker.pid)).toBe(true));
    const later = payload('Interop::Gated', '[false]');
    await admin.lpush('queue:default', later);
    worker.signal('SIGTSTP'); // a hook that is run twice does no harm
    await eventually(() => expect(worker.log.match(/"got TSTP"/g)).toHaveLength(2));
    expect(await worker.end('SIGTERM')).toBe(0);
    expect(ownStarts()).toHaveLength(1);
    expect(await admin.lrange('queue:default', 0, -1)).toEqual([later]);
    expect(await admin.keys('tsq:*')).toEqual([]);
  });

  test('what can not be read goes to dead with its bytes, and an unknown class to retry', async () => {
    const worker = await tsq.start(redis.url);
    const admin = redis.connect();
    const unreadable = ['{not json', '', '[]', '{"class":1,"args":[]}', Buffer.from([0xff, 0xfe])];
    for (const bytes of unreadable) await admin.lpush('queue:default', bytes);
    await admin.lpush('queue:default', payload('Interop::Ecko', '[]'));
    await eventually(async () => expect(await admin.zcard('dead')).toBe(unreadable.length));
    await eventually(async () => expect(await admin.zcard('retry')).toBe(1));
    const dead = (await admin.callBuffer('ZRANGE', 'dead', 0, -1)) as Buffer[];
    const hex = (list: readonly (string | Buffer)[]) =>
      list.map((bytes) => Buffer.from(bytes).toString('hex')).sort();
    expect(hex(dead)).toEqual(hex(unreadable));
    expect(String(await admin.zrange('retry', '0', '-1'))).toContain('did you mean \\"Interop::Echo\\"');
    expect(await worker.end('SIGTERM')).toBe(0);
  });
});
