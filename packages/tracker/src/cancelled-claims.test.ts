import { describe, expect, test } from '@jest/globals';
import { cancelJob } from '@tsq/core';
import { eventually, TcpProxy, useRedis } from '@tsq/core/test-support';
import { Keyspace } from './keyspace.js';
import { openFetcher } from './test-support/open-fetcher.js';

const keyspace = new Keyspace();
const job = (jid: string) => `{"class":"Mine","args":[],"jid":"${jid}"}`;

describe('a job that was cancelled while it waited', () => {
  const redis = useRedis();

  test.each([{}, { onlyKnown: { classes: ['Mine'] } }])(
    'is dropped when it comes up, with a line in the log, and the others run (%j)',
    async (options) => {
      await using it = await openFetcher(redis, options);
      await it.admin.lpush('queue:a', job('one'), job('two'), 'unreadable "class":"Mine"', job('three'));
      await cancelJob(it.admin, 'two');
      const units = await it.fetcher.fetch(['a'], 10);
      const [first, ...rest] = units.map((unit) => unit.bytes.toString());
      expect([first, rest.at(-1)]).toEqual([job('one'), job('three')]);
      expect(units.map((unit) => unit.bytes.toString())).not.toContain(job('two'));
      expect(it.fetcher.counts.cancelled).toBe(1);
      const [line] = it.logger.lines.filter(({ message }) => message.startsWith('cancelled'));
      expect(line).toMatchObject({ level: 'warn', fields: { jid: 'two', queue: 'a' } });
      // L3: its claim has ended, and nobody needs the note any more.
      await eventually(async () => {
        expect(await it.admin.exists(keyspace.cancelled, 'it-two')).toBe(0);
        expect(await it.admin.smembers(keyspace.jobs(it.instance.id))).toHaveLength(units.length);
      });
    },
  );

  test('S1: jobs run when Redis does not say which are cancelled', async () => {
    await using it = await openFetcher(redis);
    await it.admin.lpush('queue:a', job('one'));
    await it.admin.set(keyspace.cancelled, 'no sorted set');
    expect(await it.fetcher.fetch(['a'], 10)).toHaveLength(1);
    expect(it.logger.matching('warn', 'not known which')).toHaveLength(1);
  });

  test('is dropped also when its claim was adopted', async () => {
    const proxy = await TcpProxy.before(redis.port);
    await using _closing = { [Symbol.asyncDispose]: () => proxy.close() };
    await using it = await openFetcher(redis, { location: { url: proxy.url } });
    await it.admin.lpush('queue:a', job('one'), job('two'));
    await cancelJob(it.admin, 'two');
    const dropped = proxy.dropReplyTo('tsq:claims:');
    await expect(it.fetcher.fetch(['a'], 10)).rejects.toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE' });
    await dropped;
    await eventually(async () => {
      expect((await it.fetcher.fetch(['a'], 10)).map(({ bytes }) => bytes.toString())).toEqual([job('one')]);
    });
    expect(it.fetcher.counts).toMatchObject({ adopted: 2, cancelled: 1 });
  });

  test('costs nothing while nobody has cancelled anything', async () => {
    await using it = await openFetcher(redis);
    await it.admin.config('RESETSTAT');
    await it.admin.lpush('queue:a', job('one'));
    await it.fetcher.fetch(['a'], 10);
    expect(await it.admin.info('commandstats')).not.toContain('cmdstat_zmscore');
  });
});
