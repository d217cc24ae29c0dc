/** The suite of the contract `Fetcher`, for all who sign it. `itIsAComponent` is a suite of its own. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { keys } from '../keys.js';
import type { Fetcher, UnitOfWork } from '../unit-of-work.js';
import { eventually } from './eventually.js';
import type { TestRedis } from './use-redis.js';

/** Text is compared in the tests below, but these are bytes that no text can hold. */
const notText = Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x22, 0x0a, 0x7d]);

/**
 * @param redis of the surrounding `useRedis()`: emptied before each test
 * @param make a fetcher that is allowed to take jobs once it was started; the suite starts and stops it
 */
export function itIsAFetcher(redis: TestRedis, make: () => Fetcher | Promise<Fetcher>): void {
  const started: Fetcher[] = [];
  const open = async (): Promise<Fetcher> => {
    const fetcher = await make();
    started.push(fetcher);
    await fetcher.start();
    return fetcher;
  };
  afterEach(async () => {
    for (const fetcher of started.splice(0)) await fetcher.stop(AbortSignal.timeout(2_000));
  });

  describe('fetch', () => {
    test('takes from the queues in the order given, the oldest first, and not more than asked for', async () => {
      const connection = redis.connect();
      await connection.lpush(keys.queue('low'), 'low 1', 'low 2');
      await connection.lpush(keys.queue('high'), 'high 1', 'high 2');
      const fetcher = await open();
      const first = await fetcher.fetch(['high', 'low'], 3);
      expect(first.map(text)).toEqual(['high 1', 'high 2', 'low 1']);
      expect(first.map((unit) => unit.queue)).toEqual(['high', 'high', 'low']);
      expect((await fetcher.fetch(['high', 'low'], 3)).map(text)).toEqual(['low 2']);
      expect(await fetcher.fetch(['high', 'low'], 3)).toEqual([]);
    });

    test('another order is another preference', async () => {
      const connection = redis.connect();
      await connection.lpush(keys.queue('a'), 'a');
      await connection.lpush(keys.queue('b'), 'b');
      const fetcher = await open();
      expect((await fetcher.fetch(['b', 'a'], 1)).map(text)).toEqual(['b']);
      expect((await fetcher.fetch(['b', 'a'], 1)).map(text)).toEqual(['a']);
    });

    test('what one took no other gets', async () => {
      const connection = redis.connect();
      await connection.lpush(keys.queue('q'), '1', '2', '3', '4');
      const [one, other] = [await open(), await open()];
      const taken = await Promise.all([one.fetch(['q'], 3), other.fetch(['q'], 3)]);
      expect(taken.flat().map(text).toSorted()).toEqual(['1', '2', '3', '4']);
    });

    test('calls that overlap get the jobs of their own queues, each job once', async () => {
      const connection = redis.connect();
      await connection.lpush(keys.queue('a'), 'a1', 'a2', 'a3');
      await connection.lpush(keys.queue('b'), 'b1', 'b2');
      const fetcher = await open();
      const taken = await Promise.all([
        fetcher.fetch(['a'], 2),
        fetcher.fetch(['b'], 5),
        fetcher.fetch(['a'], 5),
        fetcher.fetch(['b'], 5),
      ]);
      expect(taken.flat().map(text).toSorted()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2']);
      for (const [index, queue] of ['a', 'b', 'a', 'b'].entries()) {
        expect(taken[index]?.every((unit) => unit.queue === queue)).toBe(true);
      }
    });

    test('gives the bytes as they stood in the queue, even when they are no text', async () => {
      await redis.connect().lpush(keys.queue('q'), notText);
      const [unit] = await (await open()).fetch(['q'], 1);
      expect(unit?.bytes.equals(notText)).toBe(true);
    });

    test('passes over a paused queue, until it is paused no more', async () => {
      const connection = redis.connect();
      await connection.sadd(keys.paused, 'a');
      await connection.lpush(keys.queue('a'), 'a');
      await connection.lpush(keys.queue('b'), 'b');
      const fetcher = await open();
      expect((await fetcher.fetch(['a', 'b'], 10)).map(text)).toEqual(['b']);
      await connection.srem(keys.paused, 'a');
      expect((await fetcher.fetch(['a', 'b'], 10)).map(text)).toEqual(['a']);
    });
  });

  describe('wait', () => {
    test('ends when a queue has a job already', async () => {
      await redis.connect().lpush(keys.queue('b'), '1');
      await (await open()).wait(['a', 'b'], new AbortController().signal);
    });

    test('ends when somebody who rings no bell pushes a job, and a fetch then finds it', async () => {
      const fetcher = await open();
      const arrived = fetchWhenThere(fetcher, ['a', 'b']);
      await redis.connect().lpush(keys.queue('b'), 'late');
      expect(text(await arrived)).toBe('late');
    });

    test('takes nothing', async () => {
      const connection = redis.connect();
      await connection.lpush(keys.queue('q'), '1', '2');
      await (await open()).wait(['q'], new AbortController().signal);
      expect(await connection.lrange(keys.queue('q'), 0, -1)).toEqual(['2', '1']);
    });

    test('ends when its signal aborts, and at once when it has aborted before', async () => {
      const fetcher = await open();
      const stop = new AbortController();
      const waiting = fetcher.wait(['q'], stop.signal);
      stop.abort();
      await waiting;
      await fetcher.wait(['q'], stop.signal);
    });
  });

  describe('settle', () => {
    /** One job of queue `q`, taken. */
    const take = async (bytes: string | Buffer): Promise<{ connection: Redis; unit: UnitOfWork }> => {
      const connection = redis.connect();
      await connection.lpush(keys.queue('q'), bytes);
      const [unit] = await (await open()).fetch(['q'], 1);
      if (unit === undefined) throw new Error('the job was not fetched');
      return { connection, unit };
    };

    test.each(['done', 'discarded'] as const)('%s: the job is nowhere any more', async (kind) => {
      const { connection, unit } = await take('job');
      expect(await unit.settle({ kind })).toBe('settled');
      expect(await places(connection)).toEqual({ queue: [], retry: [], dead: [] });
    });

    test('requeue: the same bytes go to the head of the line', async () => {
      const { connection, unit } = await take(notText);
      await connection.lpush(keys.queue('q'), 'younger');
      expect(await unit.settle({ kind: 'requeue' })).toBe('settled');
      const line = await connection.lrangeBuffer(keys.queue('q'), 0, -1);
      expect(line).toEqual([Buffer.from('younger'), notText]);
    });

    test('requeue: given back the newest first, jobs stand in their old order', async () => {
      const connection = redis.connect();
      await connection.lpush(keys.queue('q'), '1', '2', '3', '4');
      const fetcher = await open();
      const units = await fetcher.fetch(['q'], 3);
      await Promise.all(units.toReversed().map((unit) => unit.settle({ kind: 'requeue' })));
      expect((await fetcher.fetch(['q'], 4)).map(text)).toEqual(['1', '2', '3', '4']);
    });

    test('yield: the new bytes go to the back of the line', async () => {
      const { connection, unit } = await take('job');
      await connection.lpush(keys.queue('q'), 'younger', 'youngest');
      expect(await unit.settle({ kind: 'yield', bytes: notText })).toBe('settled');
      const line = await connection.lrangeBuffer(keys.queue('q'), 0, -1);
      expect(line).toEqual([notText, Buffer.from('youngest'), Buffer.from('younger')]);
    });

    test("retry: the new bytes are due after the delay, by Redis' clock", async () => {
      const { connection, unit } = await take('job');
      const before = await now(connection);
      await unit.settle({ kind: 'retry', bytes: notText, delaySeconds: 100.5 });
      const after = await now(connection);
      expect(await connection.zrangeBuffer(keys.retry, '0', '-1')).toEqual([notText]);
      const dueAt = Number(await connection.zscore(keys.retry, notText));
      expect(dueAt).toBeGreaterThanOrEqual(before + 100.5 - 0.001);
      expect(dueAt).toBeLessThanOrEqual(after + 100.5 + 0.001);
      expect(await connection.llen(keys.queue('q'))).toBe(0);
    });

    test("dead: the new bytes stand in the dead set, at the time of Redis' clock", async () => {
      const { connection, unit } = await take('job');
      const before = await now(connection);
      await unit.settle({ kind: 'dead', bytes: notText });
      const after = await now(connection);
      expect(await connection.zrangeBuffer(keys.dead, '0', '-1')).toEqual([notText]);
      const diedAt = Number(await connection.zscore(keys.dead, notText));
      expect(diedAt).toBeGreaterThanOrEqual(before - 0.001);
      expect(diedAt).toBeLessThanOrEqual(after + 0.001);
    });

    test('only the first outcome counts, and later ones are answered like it', async () => {
      const { connection, unit } = await take('job');
      const answers = await Promise.all([
        unit.settle({ kind: 'requeue' }),
        unit.settle({ kind: 'dead', bytes: unit.bytes }),
      ]);
      expect(answers).toEqual(['settled', 'settled']);
      expect(await unit.settle({ kind: 'retry', bytes: unit.bytes, delaySeconds: 1 })).toBe('settled');
      expect(await places(connection)).toEqual({ queue: ['job'], retry: [], dead: [] });
    });

    test('after a release the outcome is written all the same', async () => {
      const { connection, unit } = await take('job');
      unit.release();
      expect(await unit.settle({ kind: 'retry', bytes: Buffer.from('failed'), delaySeconds: 60 })).toBe(
        'settled',
      );
      expect(await places(connection)).toEqual({ queue: [], retry: ['failed'], dead: [] });
    });

    test('two jobs of the same bytes are two jobs', async () => {
      const connection = redis.connect();
      await connection.lpush(keys.queue('q'), 'twin', 'twin');
      const [one, other] = await (await open()).fetch(['q'], 2);
      expect(await one?.settle({ kind: 'done' })).toBe('settled');
      expect(await other?.settle({ kind: 'requeue' })).toBe('settled');
      expect(await connection.lrange(keys.queue('q'), 0, -1)).toEqual(['twin']);
    });
  });

  test('stop writes what was settled and not yet sent', async () => {
    const connection = redis.connect();
    await connection.lpush(keys.queue('q'), '1', '2');
    const fetcher = await open();
    const [one, other] = await fetcher.fetch(['q'], 2);
    const settlements = [
      other?.settle({ kind: 'requeue' }),
      one?.settle({ kind: 'dead', bytes: Buffer.from('1') }),
    ];
    await fetcher.stop(AbortSignal.abort());
    expect(await Promise.all(settlements)).toEqual(['settled', 'settled']);
    expect(await places(connection)).toEqual({ queue: ['2'], retry: [], dead: ['1'] });
  });
}

function text(unit: UnitOfWork): string {
  return unit.bytes.toString();
}

async function fetchWhenThere(fetcher: Fetcher, queues: readonly string[]): Promise<UnitOfWork> {
  return await eventually(async () => {
    await fetcher.wait(queues, new AbortController().signal);
    const [unit] = await fetcher.fetch(queues, 1);
    if (unit === undefined) throw new Error('the wait ended, but there was no job');
    return unit;
  });
}

async function places(redis: Redis): Promise<Record<'queue' | 'retry' | 'dead', readonly string[]>> {
  return {
    queue: await redis.lrange(keys.queue('q'), 0, -1),
    retry: await redis.zrange(keys.retry, '0', '-1'),
    dead: await redis.zrange(keys.dead, '0', '-1'),
  };
}

async function now(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) + Number(microseconds) / 1_000_000;
}
