import { afterEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { Client, type ClientOptions } from './client.js';
import { eventually, useRedis } from './test-support/index.js';
import { type FunctionWorker, type WorkerOptions, workerDefinition } from './worker-contract.js';

class ResizeImage {
  perform(url: string, width: number): string {
    return `${url} ${width}`;
  }
}

/** What @Worker puts on a class. */
function define(worker: object, name: string, options: WorkerOptions): void {
  Object.defineProperty(worker, workerDefinition, { value: { name, options } });
}
define(ResizeImage, 'Images::Resize', {
  queue: 'images',
  retry: 5,
  tags: ['img'],
  tracked: true,
  timeout: 3,
});

const sendMail: FunctionWorker<[to: string]> = { [workerDefinition]: { name: 'SendMail', options: {} } };

describe('Client', () => {
  const server = useRedis();
  const clients: Client[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  function makeClient(options: Partial<ClientOptions> = {}): Client {
    const client = new Client({ url: server.url, ...options } as ClientOptions); // url stays what it is
    clients.push(client);
    return client;
  }

  async function only(redis: Redis, queue: string): Promise<string> {
    const payloads = await redis.lrange(`queue:${queue}`, 0, -1);
    expect(payloads).toHaveLength(1);
    return String(payloads[0]);
  }

  test('a job by name is the payload that Ruby would push: its keys, their order and its defaults', async () => {
    const redis = server.connect();
    const before = Date.now() / 1000;
    const jid = await makeClient().enqueue('Billing::Charge', [1, 'é\u2028"', null, { a: [] }]);
    const payload = await only(redis, 'default');
    expect(jid).toMatch(/^[0-9a-f]{24}$/);
    const time = String.raw`(\d{10}\.\d+)`;
    const form = new RegExp(
      `^\\{"retry":true,"queue":"default","class":"Billing::Charge","args":\\[1,"é\u2028\\\\"",null,\\{"a":\\[\\]\\}\\],` +
        `"jid":"${jid}","created_at":${time},"enqueued_at":${time}\\}$`,
    );
    expect(payload).toMatch(form);
    const createdAt = Number(form.exec(payload)?.[1]);
    expect(createdAt).toBeGreaterThanOrEqual(before);
    expect(createdAt).toBeLessThanOrEqual(Date.now() / 1000);
    expect(await redis.smembers('queues')).toEqual(['default']);
  });

  test('a class is pushed under its wire name with its options, and neither timeout nor tracked is written', async () => {
    const redis = server.connect();
    await makeClient().enqueue(ResizeImage, 'https://x', 640);
    expect(await only(redis, 'images')).toMatch(
      /^\{"retry":5,"queue":"images","tags":\["img"\],"class":"Images::Resize","args":\["https:\/\/x",640\],"jid":"[^"]+","created_at":[^,]+,"enqueued_at":[^,]+\}$/,
    );
  });

  test('a function worker is pushed under its name', async () => {
    const redis = server.connect();
    await makeClient().enqueue(sendMail, 'a@b');
    expect(JSON.parse(await only(redis, 'default'))).toMatchObject({ class: 'SendMail', args: ['a@b'] });
  });

  test("a call's options stand over the worker's, in Sidekiq's spelling, custom keys included", async () => {
    const redis = server.connect();
    const low = makeClient().with({ queue: 'low', custom: { locale: 'de' } });
    await low
      .with({
        retry: false,
        retryFor: 60,
        retryQueue: 'again',
        backtrace: 10,
        dead: false,
        tags: ['a'],
        tracked: true,
        jid: 'my-own',
        custom: { big: 2n ** 64n },
      })
      .enqueue(ResizeImage, 'u', 1);
    expect(await only(redis, 'low')).toMatch(
      /^\{"retry":false,"queue":"low","retry_for":60,"retry_queue":"again","backtrace":10,"dead":false,"tags":\["a"\],"tracked":true,"locale":"de","big":18446744073709551616,"class":"Images::Resize","args":\["u",1\],"jid":"my-own",/,
    );
  });

  test('with expiresIn the moment itself is written, in seconds: counted from now, or from when the job is due', async () => {
    const redis = server.connect();
    const short = makeClient({ dialect: 'milliseconds' }).with({ expiresIn: 90.5, logLevel: 'debug' });
    await short.enqueue('X');
    const now = JSON.parse(await only(redis, 'default'));
    expect(now).toMatchObject({ expires_in: 90.5, log_level: 'debug' });
    expect(now.expiry).toBeCloseTo(now.created_at / 1_000 + 90.5, 3);
    await short.enqueueIn(7_200, 'X');
    const [later = '', score] = await redis.zrange('schedule', '0', '-1', 'WITHSCORES');
    expect(JSON.parse(later).expiry).toBeCloseTo(Number(score) + 90.5, 3);
    expect(later).toMatch(/"expiry":\d+\.\d+/);
  });

  test('options of one `with` do not leak into the client it came from', async () => {
    const redis = server.connect();
    const client = makeClient();
    client.with({ queue: 'low' });
    await client.enqueue('X');
    expect(await redis.llen('queue:low')).toBe(0);
    expect(JSON.parse(await only(redis, 'default'))).toMatchObject({ args: [] });
  });

  test('a big integer keeps its digits', async () => {
    const redis = server.connect();
    await makeClient().enqueue('X', [123456789012345678901234567890n]);
    expect(await only(redis, 'default')).toContain('"args":[123456789012345678901234567890]');
  });

  test('in the dialect of Sidekiq 8 timestamps are integer milliseconds, and scores still seconds', async () => {
    const redis = server.connect();
    const client = makeClient({ dialect: 'milliseconds' });
    await client.enqueue('X');
    expect(await only(redis, 'default')).toMatch(/"created_at":\d{13},"enqueued_at":\d{13}\}$/);
    await client.enqueueIn(60, 'X');
    const [, score] = await redis.zrange('schedule', '0', '-1', 'WITHSCORES');
    expect(Number(score)).toBeLessThan(1e10);
  });

  test('a push is SADD before LPUSH, a scheduled one is a single ZADD with a fraction in its score', async () => {
    const redis = server.connect();
    const seen: string[][] = [];
    const monitor = await redis.monitor();
    try {
      monitor.on('monitor', (_time: string, command: string[]) => seen.push(command));
      const client = makeClient();
      await client.enqueue('X');
      await client.enqueueAt(2_000_000_000, 'X');
      await eventually(() => expect(seen.map(([name]) => name?.toLowerCase())).toContain('zadd'));
    } finally {
      monitor.disconnect();
    }
    const pushes = seen.filter(([name]) => ['sadd', 'lpush', 'zadd'].includes(String(name).toLowerCase()));
    expect(pushes.map((command) => command.slice(0, -1))).toEqual([
      ['sadd', 'queues'],
      ['LPUSH', 'queue:default'],
      ['ZADD', 'schedule', '2000000000.0'],
    ]);
  });

  test('what is pushed at once goes in one round trip, in order', async () => {
    const redis = server.connect();
    const client = makeClient();
    await client.enqueue('Warm::Up');
    await redis.del('queue:default');
    await redis.config('RESETSTAT');
    const jids = await Promise.all(Array.from({ length: 100 }, (_, index) => client.enqueue('X', [index])));
    const payloads = await redis.lrange('queue:default', 0, -1);
    expect(payloads.reverse().map((payload) => JSON.parse(payload).jid)).toEqual(jids);
    const calls = /cmdstat_lpush:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1];
    expect(Number(calls)).toBe(1);
  });

  describe('times', () => {
    async function scheduled(redis: Redis): Promise<{ payload: string; score: number }> {
      const [payload, score] = await redis.zrange('schedule', '0', '-1', 'WITHSCORES');
      return { payload: String(payload), score: Number(score) };
    }

    test('enqueueIn schedules from now on, without at and enqueued_at in the payload', async () => {
      const redis = server.connect();
      const before = Date.now() / 1000;
      await makeClient().enqueueIn(60, ResizeImage, 'u', 1);
      const { payload, score } = await scheduled(redis);
      expect(score).toBeGreaterThanOrEqual(before + 60);
      expect(score).toBeLessThanOrEqual(Date.now() / 1000 + 60);
      expect(payload).toMatch(/"jid":"[^"]+","created_at":[\d.]+\}$/);
      expect(payload).not.toContain('"at"');
      expect(await redis.exists('queues')).toBe(0);
    });

    test('enqueueIn with 1e9 or more means a point in time, as in Sidekiq', async () => {
      const redis = server.connect();
      await makeClient().enqueueIn(2_000_000_000.25, 'X');
      expect((await scheduled(redis)).score).toBe(2_000_000_000.25);
    });

    test('enqueueAt takes a Date or seconds', async () => {
      const redis = server.connect();
      const client = makeClient();
      await client.enqueueAt(new Date(2_000_000_000_500), 'A');
      expect((await scheduled(redis)).score).toBe(2_000_000_000.5);
      await redis.del('schedule');
      await client.with({ at: 2_000_000_001 }).enqueue('B');
      expect((await scheduled(redis)).score).toBe(2_000_000_001);
    });

    test.each([
      ['enqueueIn 0', (client: Client) => client.enqueueIn(0, 'X')],
      ['enqueueIn -5', (client: Client) => client.enqueueIn(-5, 'X')],
      ['enqueueAt yesterday', (client: Client) => client.enqueueAt(new Date(Date.now() - 86_400_000), 'X')],
      ['with at 0', (client: Client) => client.with({ at: 0 }).enqueue('X')],
    ])('%s is not after now and goes to its queue at once', async (_, push) => {
      const redis = server.connect();
      await push(makeClient());
      expect(await only(redis, 'default')).toContain('"enqueued_at"');
      expect(await redis.exists('schedule')).toBe(0);
    });
  });

  describe('middleware', () => {
    test('it may change everything of a job before it is encoded', async () => {
      const redis = server.connect();
      const client = makeClient();
      client.middleware.add('change', async (job, next) => {
        job.queue = 'elsewhere';
        job.args = [...job.args, 'more'];
        job.custom.locale = 'fr';
        job.retry = 3;
        await next();
      });
      await client.with({ queue: 'low' }).enqueue('X', [1]);
      expect(JSON.parse(await only(redis, 'elsewhere'))).toMatchObject({
        queue: 'elsewhere',
        args: [1, 'more'],
        locale: 'fr',
        retry: 3,
      });
      expect(await redis.smembers('queues')).toEqual(['elsewhere']);
    });

    test('a job whose middleware does not call next is dropped: undefined, and nothing is sent', async () => {
      const redis = server.connect();
      const client = makeClient();
      client.middleware.add('drop', async () => undefined);
      expect(await client.enqueue('X')).toBeUndefined();
      expect(await redis.dbsize()).toBe(0);
    });

    test('next called twice pushes once', async () => {
      const redis = server.connect();
      const client = makeClient();
      client.middleware.add('twice', async (_, next) => {
        await next();
        await next();
      });
      await client.enqueue('X');
      expect(await redis.llen('queue:default')).toBe(1);
    });

    test('what it throws rejects the call and nothing is sent', async () => {
      const redis = server.connect();
      const client = makeClient();
      client.middleware.add('boom', async (_, next) => {
        await next();
        throw new Error('boom');
      });
      await expect(client.enqueue('X')).rejects.toThrow('boom');
      expect(await redis.dbsize()).toBe(0);
    });

    test('what it makes of a job is checked', async () => {
      const client = makeClient();
      client.middleware.add('spoil', async (job, next) => {
        job.args = [Number.NaN];
        await next();
      });
      await expect(client.enqueue('X', [1])).rejects.toMatchObject({ code: 'TSQ_ARGS_INVALID' });
    });
  });

  describe('what is no job', () => {
    test('a class without @Worker, and a subclass of one with it, are refused with what to do', async () => {
      class Bare {
        perform(): boolean {
          return true;
        }
      }
      class Child extends ResizeImage {}
      await expect(makeClient().enqueue(Bare)).rejects.toMatchObject({
        code: 'TSQ_WORKER_INVALID',
        message: expect.stringMatching(/^Bare is not a worker: .*@Worker/),
      });
      await expect(makeClient().enqueue(Child, 'u', 1)).rejects.toMatchObject({ code: 'TSQ_WORKER_INVALID' });
    });

    test('args that do not fit the schema are refused, and what fits goes out as it was given', async () => {
      const redis = server.connect();
      const schema = z.tuple([z.string().transform((text) => text.length), z.object({ n: z.int().min(1) })]);
      const worker: FunctionWorker<[string, { n: number }]> = {
        [workerDefinition]: { name: 'Strict', options: { args: schema } },
      };
      await makeClient().enqueue(worker, 'abc', { n: 1 });
      expect(await only(redis, 'default')).toContain('"args":["abc",{"n":1}]');
      const text = 'five' as unknown as number; // a caller without types
      await expect(makeClient().enqueue(worker, 'abc', { n: text })).rejects.toMatchObject({
        code: 'TSQ_ARGS_REJECTED',
        message: 'Strict: args[1].n: expected number, got string "five"',
      });
      await expect(makeClient().enqueue(worker, 'abc', { n: 0 })).rejects.toMatchObject({
        code: 'TSQ_ARGS_REJECTED',
        message: expect.stringMatching(/^Strict: args\[1\]\.n: .*1, got number 0$/),
      });
    });

    test('a schema that answers later is refused: its answer would come after the push', async () => {
      const schema = z.tuple([z.string().refine(async () => true)]);
      const worker: FunctionWorker<[string]> = {
        [workerDefinition]: { name: 'Slow', options: { args: schema } },
      };
      await expect(makeClient().enqueue(worker, 'a')).rejects.toMatchObject({ code: 'TSQ_ARGS_REJECTED' });
    });

    test('an option of an unknown name is refused with the nearest one', () => {
      const misspelt = { retry_queue: 'x' } as object;
      expect(() => makeClient().with(misspelt)).toThrow(
        expect.objectContaining({
          code: 'TSQ_JOB_INVALID',
          message: expect.stringContaining('did you mean "retryQueue"'),
        }),
      );
    });
  });

  describe('settings', () => {
    test.each([
      [{}, 'TSQ_CONFIG_INVALID'],
      [{ url: '' }, 'TSQ_CONFIG_INVALID'],
      [{ url: 'not a url' }, 'TSQ_CONFIG_INVALID'],
      [{ url: 'http://x' }, 'TSQ_CONFIG_INVALID'],
      [{ redis: { url: 'redis://x', options: 'tls' } }, 'TSQ_CONFIG_INVALID'],
      [{ url: 'redis://x', deadlineMs: 0 }, 'TSQ_CONFIG_INVALID'],
      [{ url: 'redis://x', deadlineMs: Number.NaN }, 'TSQ_CONFIG_INVALID'],
      [{ url: 'redis://x', dialect: 'ms' }, 'TSQ_CONFIG_INVALID'],
      [{ url: 'redis://x', deadline: 5 }, 'TSQ_CONFIG_UNKNOWN_KEY'],
    ])('%j is refused with %s', (options, code) => {
      expect(() => new Client(options as ClientOptions)).toThrow(expect.objectContaining({ code }));
    });

    test('a URL that is none of Redis is refused with what is expected, and without its password', () => {
      const refused = (url: string) => () => new Client({ url });
      expect(refused('http://:secret@x')).toThrow(/expected a URL with redis:\/\/.*, got http:\/\/:\*\*\*@x/);
      expect(refused('redis://:sec/ret@x')).toThrow(/percent-encoded, got an unreadable URL$/);
    });

    test('making a client connects to nothing', async () => {
      const redis = server.connect();
      makeClient();
      const list = String(await redis.client('LIST'));
      expect(list).not.toContain('tsq-client');
    });
  });
});
