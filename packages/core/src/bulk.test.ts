import { afterEach, describe, expect, test } from '@jest/globals';
import { Client } from './client.js';
import { EnqueueError } from './enqueue-error.js';
import { useRedis } from './test-support/index.js';

describe('enqueueBulk', () => {
  const server = useRedis();
  const clients: Client[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  function makeClient(deadlineMs = 5_000): Client {
    const client = new Client({ url: server.url, deadlineMs });
    clients.push(client);
    return client;
  }

  async function errorOf(call: Promise<unknown>): Promise<EnqueueError> {
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof EnqueueError)) throw new Error('expected an EnqueueError', { cause: error });
    return error;
  }

  const numbered = (count: number) => Array.from({ length: count }, (_, index) => [index]);

  test('2500 jobs go in three pushes, in order, with a jid each', async () => {
    const redis = server.connect();
    await redis.config('RESETSTAT');
    const jids = await makeClient().enqueueBulk('X', numbered(2_500));
    const jobs = (await redis.lrange('queue:default', 0, -1)).reverse().map((payload) => JSON.parse(payload));
    expect(jobs.map((job) => job.args[0])).toEqual(numbered(2_500).flat());
    expect(jobs.map((job) => job.jid)).toEqual(jids);
    expect(new Set(jids).size).toBe(2_500);
    expect(await redis.info('commandstats')).toMatch(/cmdstat_lpush:calls=3,/);
  });

  test('batchSize sets how many go at once', async () => {
    const redis = server.connect();
    await redis.config('RESETSTAT');
    await makeClient().enqueueBulk('X', numbered(10), { batchSize: 4 });
    expect(await redis.info('commandstats')).toMatch(/cmdstat_lpush:calls=3,/);
  });

  test('no jobs are no jids, and nothing is sent', async () => {
    expect(await makeClient().enqueueBulk('X', [])).toEqual([]);
    expect(await server.connect().dbsize()).toBe(0);
  });

  test('one time for all or one for each; what is due already goes to its queue', async () => {
    const redis = server.connect();
    const client = makeClient();
    await client.with({ at: 2_000_000_000 }).enqueueBulk('X', numbered(2));
    await client.enqueueBulk('X', numbered(3), { at: [2_000_000_001, 0, new Date(2_000_000_002_000)] });
    const scores = (await redis.zrange('schedule', '0', '-1', 'WITHSCORES')).filter(
      (_, index) => index % 2 === 1,
    );
    expect(scores).toEqual(['2000000000', '2000000000', '2000000001', '2000000002']);
    expect(await redis.llen('queue:default')).toBe(1);
  });

  test('middleware runs for each job: a dropped one leaves undefined in its place, a moved one its own queue', async () => {
    const redis = server.connect();
    const client = makeClient();
    client.middleware.add('odd ones elsewhere', async (job, next) => {
      const number = Number(job.args[0]);
      if (number === 2) return;
      if (number % 2 === 1) job.queue = 'odd';
      await next();
    });
    const jids = await client.enqueueBulk('X', numbered(5));
    expect(jids.map((jid) => typeof jid)).toEqual(['string', 'string', 'undefined', 'string', 'string']);
    const args = async (queue: string) =>
      (await redis.lrange(`queue:${queue}`, 0, -1)).map((payload) => JSON.parse(payload).args[0]);
    expect(await args('default')).toEqual([4, 0]);
    expect(await args('odd')).toEqual([3, 1]);
    expect((await redis.smembers('queues')).sort()).toEqual(['default', 'odd']);
  });

  test('bad args of the last job keep the first from being sent, and the error names it', async () => {
    const list = [...numbered(1_500), [Number.NaN]];
    await expect(makeClient().enqueueBulk('X', list)).rejects.toMatchObject({
      code: 'TSQ_ARGS_INVALID',
      message: expect.stringMatching(/^job 1500 of the bulk: args\[0\]/),
    });
    expect(await server.connect().dbsize()).toBe(0);
  });

  test('a batch that Redis refuses says how many were pushed before and which', async () => {
    const redis = server.connect();
    const client = makeClient();
    client.middleware.add('the last to a bad queue', async (job, next) => {
      if (job.args[0] === 25) job.queue = 'odd';
      await next();
    });
    await redis.set('queue:odd', 'a string');
    const error = await errorOf(client.enqueueBulk('X', numbered(40), { batchSize: 10 }));
    expect(error).toMatchObject({ code: 'TSQ_REDIS_REFUSED', outcome: 'not-pushed', unsure: [] });
    expect(error.message).toContain('29 of 40 jobs of the bulk were pushed');
    const there = await redis.lrange('queue:default', 0, -1);
    expect(there.reverse().map((payload) => JSON.parse(payload).jid)).toEqual(error.pushed);
  });

  test('a batch without a reply lists the jids that may be there', async () => {
    const client = makeClient(300);
    const other = server.connect();
    client.middleware.add('pause before the second batch', async (job, next) => {
      if (job.args[0] === 10) await other.call('CLIENT', 'PAUSE', '1000', 'WRITE');
      await next();
    });
    const error = await errorOf(client.enqueueBulk('X', numbered(20), { batchSize: 10 }));
    await other.call('CLIENT', 'UNPAUSE');
    expect(error).toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE', outcome: 'unknown' });
    expect([error.pushed.length, error.unsure.length]).toEqual([10, 10]);
  });

  test('a middleware that throws in the middle stops the rest, and the error says what is there', async () => {
    const client = makeClient();
    client.middleware.add('boom', async (job, next) => {
      if (job.args[0] === 10) throw new Error('boom');
      await next();
    });
    const error = await errorOf(client.enqueueBulk('X', numbered(20), { batchSize: 10 }));
    expect(error).toMatchObject({ code: 'TSQ_BULK_STOPPED', outcome: 'not-pushed' });
    expect(error.message).toMatch(/^boom; 10 of 20 jobs/);
    expect(error.pushed).toHaveLength(10);
  });

  test.each([
    ['a jid for two jobs', (client: Client) => client.with({ jid: 'x' }).enqueueBulk('X', [[], []])],
    ['a batchSize of 0', (client: Client) => client.enqueueBulk('X', [[]], { batchSize: 0 })],
    ['fewer times than jobs', (client: Client) => client.enqueueBulk('X', [[], []], { at: [1] })],
    ['a queue without a name', (client: Client) => client.with({ queue: '' }).enqueueBulk('X', [[]])],
    ['args that are no array', (client: Client) => client.enqueueBulk('X', [7 as unknown as []])],
  ])('%s is refused', async (_, call) => {
    await expect(call(makeClient())).rejects.toMatchObject({ code: 'TSQ_JOB_INVALID' });
  });
});
