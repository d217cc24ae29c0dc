import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { keys, type Logger, Payload, silentLogger } from '@tsq/core';
import { describeWithRuby, eventually, itIsAComponent, useRedis } from '@tsq/core/test-support';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { Poller, type PollerOptions } from './poller.js';

const past = 1_000_000.5;
const future = 4_000_000_000.5;

describe('Poller', () => {
  const redis = useRedis();
  const pollers: Poller[] = [];
  afterEach(async () => {
    for (const poller of pollers.splice(0)) await poller.stop(AbortSignal.abort());
  });

  function make(options: Partial<PollerOptions> = {}): Poller {
    const poller = new Poller({ redis: redis.connect(), ...options });
    pollers.push(poller);
    return poller;
  }

  const job = (fields: object) => JSON.stringify({ class: 'A', args: [], ...fields });
  /** From the one that is taken next. */
  const line = async (connection: Redis, queue = 'default') =>
    (await connection.lrange(keys.queue(queue), 0, -1)).toReversed().map((text) => JSON.parse(text));
  const left = async (connection: Redis, set: string) => await connection.zrange(set, '0', '-1');

  describe('as a component', () => {
    let connection: Redis;
    beforeEach(async () => {
      connection = redis.connect();
      await connection.ping();
    });
    itIsAComponent(() => new Poller({ redis: connection, initialWaitMs: 0 }));
  });

  test('what is due goes to its queue, the earliest in front, and what is not due stays', async () => {
    const connection = redis.connect();
    const later = job({ jid: 'later', queue: 'q' });
    await connection.zadd(keys.schedule, past + 1, job({ jid: 'second', queue: 'q' }));
    await connection.zadd(keys.schedule, past, job({ jid: 'first', queue: 'q' }), future, later);
    await make().poll();
    expect((await line(connection, 'q')).map(({ jid }) => jid)).toEqual(['first', 'second']);
    expect(await left(connection, keys.schedule)).toEqual([later]);
    expect(await connection.smembers(keys.queues)).toEqual(['q']);
  });

  test('it joins the back of the line', async () => {
    const connection = redis.connect();
    await connection.lpush(keys.queue('q'), job({ jid: 'waiting' }));
    await connection.zadd(keys.retry, past, job({ jid: 'due', queue: 'q' }));
    await make().poll();
    expect((await line(connection, 'q')).map(({ jid }) => jid)).toEqual(['waiting', 'due']);
  });

  test('`retry` comes before `schedule`', async () => {
    const connection = redis.connect();
    await connection.zadd(keys.schedule, past, job({ jid: 'scheduled' }));
    await connection.zadd(keys.retry, past + 1, job({ jid: 'retried' }));
    await make().poll();
    expect((await line(connection)).map(({ jid }) => jid)).toEqual(['retried', 'scheduled']);
  });

  test('what Ruby would fill in is filled in; what is there stays; `at` goes', async () => {
    const connection = redis.connect();
    await connection.zadd(keys.schedule, past, '{"class":"A","args":[1.0],"at":5}');
    const failed = {
      queue: 'q',
      retry: 3,
      created_at: 5.5,
      enqueued_at: 6.5,
      retry_count: 2,
      error_message: 'e',
    };
    await connection.zadd(keys.retry, past, job(failed));
    await make().poll();
    const [text] = await connection.lrange(keys.queue('default'), 0, -1);
    expect(text).toMatch(
      /^\{"class":"A","args":\[1\.0\],"queue":"default","retry":true,"created_at":\d+\.\d+,"enqueued_at":\d+\.\d+\}$/,
    );
    const [retried] = await line(connection, 'q');
    expect(retried).toEqual({ class: 'A', args: [], ...failed, enqueued_at: expect.any(Number) });
    expect(retried.enqueued_at).toBeGreaterThan(1_700_000_000);
  });

  test.each(['null', '5', '""', '["q"]'])('a queue that is %s is `default`', async (queue) => {
    const connection = redis.connect();
    await connection.zadd(keys.schedule, past, `{"class":"A","args":[],"queue":${queue}}`);
    await make().poll();
    expect(await line(connection)).toEqual([expect.objectContaining({ queue: 'default' })]);
  });

  test('a stray `at` in the future, for which Ruby would schedule it again, sends nothing round in circles', async () => {
    const connection = redis.connect();
    await connection.zadd(keys.schedule, past, job({ jid: 'stray', at: future }));
    const poller = make();
    await poller.poll();
    await poller.poll();
    const [promoted, ...others] = await line(connection);
    expect(others).toEqual([]);
    expect(promoted).toMatchObject({ jid: 'stray' });
    expect(promoted).not.toHaveProperty('at');
    expect(await connection.exists(keys.schedule)).toBe(0);
    expect(poller.counts.promoted).toBe(1);
  });

  test.each<[string, Buffer]>([
    ['a number beyond all floats', Buffer.from('1E400')],
    ['a string that is no UTF-8', Buffer.from([0x22, 0xff, 0xc3, 0x22])],
    ['half a surrogate pair', Buffer.from('"\\ud800"')],
  ])('S1 S5: what Ruby reads and could not write again is promoted as it is: %s', async (_name, text) => {
    const connection = redis.connect();
    const head = Buffer.from('{"class":"A","queue":"q","retry":true,"created_at":1.5,"args":[');
    const entry = Buffer.concat([head, text, Buffer.from('],"jid":"odd"}')]);
    await connection.zadd(keys.retry, past, entry);
    await make().poll();
    const [promoted = Buffer.alloc(0)] = await connection.lrangeBuffer(keys.queue('q'), 0, -1);
    expect(promoted.subarray(0, entry.length - 1)).toEqual(entry.subarray(0, -1));
    expect(promoted.subarray(entry.length - 1).toString()).toMatch(/^,"enqueued_at":[0-9.]+\}$/);
    expect(await connection.exists(keys.retry)).toBe(0);
  });

  test('in the dialect of Sidekiq 8 the new timestamps are integers', async () => {
    const connection = redis.connect();
    await connection.zadd(keys.schedule, past, job({}));
    await make({ dialect: 'milliseconds' }).poll();
    const [promoted] = await line(connection);
    expect(Number.isInteger(promoted.enqueued_at)).toBe(true);
    expect(promoted.created_at).toBe(promoted.enqueued_at);
  });

  test('S5: of any payload, all bytes outside the edited keys stay', async () => {
    const connection = redis.connect();
    const poller = make();
    const edited = ['queue', 'retry', 'created_at', 'enqueued_at', 'at'];
    const value = fc.jsonValue({ maxDepth: 3 });
    const payloads = fc.record({
      args: fc.array(value),
      rest: fc.dictionary(
        fc.string().filter((key) => !['class', 'args', ...edited].includes(key)),
        value,
      ),
      known: fc.record(
        {
          queue: fc.constant('q'),
          retry: value,
          created_at: fc.double(),
          enqueued_at: fc.integer(),
          at: fc.integer(),
        },
        { requiredKeys: ['queue'] },
      ),
    });
    await fc.assert(
      fc.asyncProperty(payloads, async ({ args, rest, known }) => {
        await connection.flushdb();
        const before = Buffer.from(JSON.stringify({ ...rest, class: 'A', ...known, args }));
        await connection.zadd(keys.schedule, past, before);
        await poller.poll();
        const [after] = await connection.lrangeBuffer(keys.queue('q'), 0, -1);
        const none = Object.fromEntries(edited.map((key) => [key, undefined]));
        const stripped = (bytes: Buffer) => Payload.parse(bytes).edit(none).toString();
        expect(stripped(after ?? Buffer.alloc(0))).toBe(stripped(before));
      }),
      { numRuns: 100 },
    );
  });

  test('S3: however many look at once, each entry moves once', async () => {
    const connection = redis.connect();
    const jobs = Array.from({ length: 1_000 }, (_, index) => job({ jid: String(index), queue: 'q' }));
    for (const [index, text] of jobs.entries()) await connection.zadd(keys.retry, past + index, text);
    const many = Array.from({ length: 5 }, () => make({ batchSize: 7 }));
    await Promise.all(many.map((poller) => poller.poll()));
    const moved = (await line(connection, 'q')).map(({ jid }) => Number(jid));
    expect(moved.toSorted((a, b) => a - b)).toEqual(jobs.map((_, index) => index));
    expect(many.reduce((sum, poller) => sum + poller.counts.promoted, 0)).toBe(jobs.length);
    expect(await left(connection, keys.retry)).toEqual([]);
  });

  test('S1: a connection that is cut in the middle leaves each entry in one place', async () => {
    const connection = redis.connect();
    const jobs = Array.from({ length: 400 }, (_, index) => job({ jid: String(index), queue: 'q' }));
    for (const [index, text] of jobs.entries()) await connection.zadd(keys.schedule, past + index, text);
    const cut = redis.connect();
    const poller = make({ redis: cut, batchSize: 3 });
    const polling = poller.poll();
    await eventually(async () => expect(await connection.llen(keys.queue('q'))).toBeGreaterThan(0));
    cut.disconnect();
    await polling;
    const moved = (await line(connection, 'q')).map(({ jid }) => String(jid));
    const waiting = (await left(connection, keys.schedule)).map((text) => JSON.parse(text).jid as string);
    expect(waiting.length).toBeGreaterThan(0);
    expect([...moved, ...waiting].toSorted()).toEqual(jobs.map((_, index) => String(index)).toSorted());
  });

  test('S1, S3: of two processes one is killed while it promotes, and each entry moves once', async () => {
    const connection = redis.connect();
    const jobs = Array.from({ length: 4_000 }, (_, index) => job({ jid: String(index), queue: 'q' }));
    await connection.zadd(keys.schedule, ...jobs.flatMap((text, index) => [past + index, text]));
    const script = fileURLToPath(new URL('./test-support/poll-without-end.js', import.meta.url));
    const children = [0, 1].map(() => spawn(process.execPath, [script, redis.url], { stdio: 'inherit' }));
    try {
      await eventually(async () => expect(await connection.llen(keys.queue('q'))).toBeGreaterThan(50));
      children[0]?.kill('SIGKILL');
      expect(await connection.zcard(keys.schedule)).toBeGreaterThan(0); // killed in the middle, that is
      await eventually(async () => expect(await connection.zcard(keys.schedule)).toBe(0));
    } finally {
      for (const child of children) {
        child.kill('SIGKILL');
        await eventually(() => expect(child.signalCode).toBe('SIGKILL'));
      }
    }
    const moved = (await line(connection, 'q')).map(({ jid }) => Number(jid));
    expect(moved.toSorted((a, b) => a - b)).toEqual(jobs.map((_, index) => index));
  });

  test('an entry that was put off after it had been read stays where it is', async () => {
    const connection = redis.connect();
    const text = job({ queue: 'q' });
    await connection.zadd(keys.schedule, past, text);
    const putOff = redis.connect();
    // Rescheduled, as the Web UI does it, between the poller's two round trips.
    const run = putOff.callBuffer.bind(putOff);
    let isPutOff = false;
    putOff.callBuffer = (async (...call: Parameters<typeof run>) => {
      const carriesIt = call
        .flat()
        .some((argument) => Buffer.isBuffer(argument) && argument.toString() === text);
      if (carriesIt) isPutOff = (await connection.zadd(keys.schedule, 'CH', future, text)) === 1 || isPutOff;
      return await run(...call);
    }) as typeof putOff.callBuffer;
    await make({ redis: putOff }).poll();
    expect(isPutOff).toBe(true);
    expect(await left(connection, keys.schedule)).toEqual([text]);
    expect(await connection.exists(keys.queue('q'))).toBe(0);
  });

  test('what is no payload goes to `dead` with its bytes, and blocks nobody', async () => {
    const connection = redis.connect();
    const odd = Buffer.from([0x7b, 0xff, 0x00]);
    await connection.zadd(keys.retry, past, odd, past + 1, '[1]', past + 2, job({ jid: 'fine' }));
    const poller = make({ batchSize: 1 });
    await poller.poll();
    expect(await connection.zrangeBuffer(keys.dead, '0', '-1')).toEqual(
      expect.arrayContaining([odd, Buffer.from('[1]')]),
    );
    expect((await line(connection)).map(({ jid }) => jid)).toEqual(['fine']);
    expect(poller.counts).toEqual({ promoted: 1, buried: 2 });
    expect(await connection.zcard(keys.retry)).toBe(0);
  });

  test('an entry whose queue key is of another type stays, is reported, and blocks nobody', async () => {
    const connection = redis.connect();
    await connection.set(keys.queue('odd'), 'a string');
    await connection.zadd(
      keys.retry,
      past,
      job({ jid: '1', queue: 'odd' }),
      past + 1,
      job({ jid: '2', queue: 'odd' }),
    );
    await connection.zadd(keys.retry, past + 2, job({ jid: '3', queue: 'q' }));
    const reported: object[] = [];
    const logger: Logger = { ...silentLogger, error: (fields) => void reported.push(fields) };
    await make({ batchSize: 1, logger }).poll();
    expect((await line(connection, 'q')).map(({ jid }) => jid)).toEqual(['3']);
    expect(await connection.zcard(keys.retry)).toBe(2);
    expect(reported).toContainEqual(expect.objectContaining({ keys: ['queue:odd'] }));
  });

  test('a `dead` of another type keeps the unreadable where they are', async () => {
    const connection = redis.connect();
    await connection.set(keys.dead, 'a string');
    await connection.zadd(keys.retry, past, 'no payload', past + 1, job({ jid: 'fine' }));
    await make({ batchSize: 1 }).poll();
    expect((await line(connection)).map(({ jid }) => jid)).toEqual(['fine']);
    expect(await left(connection, keys.retry)).toEqual(['no payload']);
  });

  test('a full Redis is no obstacle', async () => {
    const connection = redis.connect();
    await connection.zadd(keys.retry, past, job({ jid: 'due' }), past, 'no payload');
    await connection.config('SET', 'maxmemory', '1');
    await expect(connection.lpush(keys.queue('q'), 'refused')).rejects.toThrow('OOM');
    await make().poll();
    await connection.config('SET', 'maxmemory', '0');
    expect((await line(connection)).map(({ jid }) => jid)).toEqual(['due']);
    expect(await left(connection, keys.dead)).toEqual(['no payload']);
  });

  test('once started it looks again and again, and no more once it is quiet', async () => {
    const connection = redis.connect();
    const poller = make({ initialWaitMs: 0, pollIntervalAverageMs: 5 });
    await poller.start();
    await connection.zadd(keys.schedule, past, job({ jid: '1' }));
    await eventually(async () => expect(await line(connection)).toHaveLength(1));
    await connection.zadd(keys.schedule, past, job({ jid: '2' }));
    await eventually(async () => expect(await line(connection)).toHaveLength(2));
    await poller.quiet();
    await connection.zadd(keys.schedule, past, job({ jid: '3' }));
    await poller.poll();
    expect(await line(connection)).toHaveLength(2);
  });

  test('a Redis that fails costs one line in the log, and one when it works again', async () => {
    const connection = redis.connect();
    const lines: string[] = [];
    const note = (_fields: object, message: string) => void lines.push(message);
    const logger: Logger = { ...silentLogger, error: note, info: note };
    await connection.zadd(keys.schedule, past, job({}));
    await connection.rename(keys.schedule, 'elsewhere');
    await connection.set(keys.schedule, 'a string');
    const poller = make({ logger });
    await poller.poll();
    await poller.poll();
    expect(lines).toHaveLength(1);
    await connection.rename('elsewhere', keys.schedule);
    await poller.poll();
    expect(lines).toHaveLength(2);
    expect(await line(connection)).toHaveLength(1);
  });

  test('a `retry` of another type does not keep `schedule` from its queues', async () => {
    const connection = redis.connect();
    await connection.set(keys.retry, 'a string');
    await connection.zadd(keys.schedule, past, job({ jid: 'due' }));
    await make().poll();
    expect((await line(connection)).map(({ jid }) => jid)).toEqual(['due']);
  });

  describe('how often it looks', () => {
    const waits = (poller: Poller, count: number) =>
      Array.from({ length: count }, () => poller.nextIntervalMs());
    const mean = (numbers: readonly number[]) => numbers.reduce((sum, ms) => sum + ms, 0) / numbers.length;

    test.each([
      [1, 5_000],
      [4, 20_000],
      [9, 45_000],
      [10, 50_000],
      [40, 200_000],
    ])('with %i processes, about each %i ms', async (processes, averageMs) => {
      const connection = redis.connect();
      for (let index = 0; index < processes; index += 1) await connection.sadd(keys.processes, `p${index}`);
      const poller = make();
      await poller.poll();
      const drawn = waits(poller, 4_000);
      expect(mean(drawn) / averageMs).toBeCloseTo(1, 1);
      // From ten processes on a draw may be anything from 0 up; below, each looks at least so rarely.
      expect(Math.min(...drawn) < averageMs / 4).toBe(processes >= 10);
      expect(Math.min(...drawn) < averageMs / 2).toBe(processes >= 10);
      expect(Math.max(...drawn)).toBeLessThanOrEqual(averageMs * (processes >= 10 ? 2 : 1.5));
    });

    test('follows the fleet, unlike Sidekiq up to 6.4', async () => {
      const connection = redis.connect();
      const poller = make({ random: () => 0.5 });
      await poller.poll();
      expect(poller.nextIntervalMs()).toBe(5_000);
      await connection.sadd(keys.processes, 'a', 'b', 'c');
      await poller.poll();
      expect(poller.nextIntervalMs()).toBe(15_000);
      await connection.srem(keys.processes, 'b', 'c');
      await poller.poll();
      expect(poller.nextIntervalMs()).toBe(5_000);
    });

    test('a fixed average does not look at the fleet', async () => {
      await redis.connect().sadd(keys.processes, 'a', 'b', 'c');
      const poller = make({ random: () => 0.5, pollIntervalAverageMs: 700 });
      await poller.poll();
      expect(poller.nextIntervalMs()).toBe(700);
    });
  });
});

describeWithRuby("Poller, with Ruby's Sidekiq", (ruby) => {
  const redis = useRedis();

  test('what Ruby schedules is promoted, and Ruby reads it in its queue, digit for digit', async () => {
    const jid = await ruby.run(
      `Sidekiq::Client.push('class' => 'Later', 'args' => [1.0, 2**70, 'é'], 'at' => Time.now.to_f + 0.05)`,
      { redisUrl: redis.url },
    );
    const connection = redis.connect();
    const poller = new Poller({ redis: connection });
    await eventually(async () => {
      await poller.poll();
      expect(poller.counts.promoted).toBe(1);
    });
    const seen = await ruby.runText(
      `job = Sidekiq::Queue.new('default').first
       [job.jid, job.args, job.enqueued_at.utc.year >= 2024, job.latency < 60, Sidekiq::ScheduledSet.new.size]`,
      { redisUrl: redis.url },
    );
    expect(seen).toBe(`["${jid}",[1.0,1180591620717411303424,"é"],true,true,0]`);
  });
});
