import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { keys, type Logger, type UnitOfWork } from '@tsq/core';
import { eventually, itIsAComponent, ListFetcher, RecordingLogger, useRedis } from '@tsq/core/test-support';
import { Manager, type ManagerSettings } from './manager.js';
import { QueueOrder } from './queue-order.js';
import { RunningJobs } from './running-jobs.js';
import { FunctionProcessor, type JobFunction } from './test-support/function-processor.js';

const numbers = (count: number, first = 1) =>
  Array.from({ length: count }, (_, index) => String(first + index));

describe('Manager', () => {
  const redis = useRedis();
  const cleanUps: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  function make(run: JobFunction, settings: Partial<ManagerSettings> = {}, logger?: Logger) {
    const fetcher = new ListFetcher({ url: redis.url }, logger);
    const processor = new FunctionProcessor(run);
    const order = new QueueOrder([{ name: 'q', weight: 0 }]);
    const parts = { fetcher, processor, order, running: processor.running, ...(logger ? { logger } : {}) };
    const manager = new Manager(parts, { stopGraceMs: 50, ...settings });
    const batches: number[] = [];
    const givenBack: [number, string][] = [];
    manager.events.on('fetched', (count) => batches.push(count));
    manager.events.on('givenBack', (count, reason) => givenBack.push([count, reason]));
    cleanUps.push(() => fetcher.stop(AbortSignal.abort()));
    cleanUps.push(() => manager.stop(AbortSignal.abort()));
    return { fetcher, processor, manager, batches, givenBack };
  }

  async function started(run: JobFunction, settings: Partial<ManagerSettings> = {}, logger?: Logger) {
    const made = make(run, settings, logger);
    await made.fetcher.start();
    await made.manager.start();
    return made;
  }

  const push = (...payloads: string[]) => redis.connect().lpush(keys.queue('q'), ...payloads);
  /** From the one that is taken next. */
  const line = async () => (await redis.connect().lrange(keys.queue('q'), 0, -1)).toReversed();

  itIsAComponent(() => {
    const fetcher = new ListFetcher({ url: redis.url });
    const processor = new FunctionProcessor(() => undefined);
    const order = new QueueOrder([{ name: 'q', weight: 0 }]);
    return new Manager({ fetcher, processor, order, running: processor.running });
  });

  test.each([
    ['concurrency', 0],
    ['concurrency', 1.5],
    ['claimAheadMs', -1],
    ['stopGraceMs', Number.NaN],
  ] as const)('refuses %s = %s', (name, value) => {
    expect(() => make(() => undefined, { [name]: value })).toThrow(
      expect.objectContaining({ code: 'TSQ_CONFIG_INVALID' }),
    );
  });

  test('runs every job once, and never more at once than its concurrency', async () => {
    const jobs = numbers(3_000);
    await push(...jobs);
    const it = await started(
      async (text) => {
        for (let turns = Number(text) % 3; turns > 0; turns -= 1) await nextTurn();
      },
      { concurrency: 7 },
    );
    await eventually(() => expect(it.processor.ended).toHaveLength(jobs.length));
    expect(it.processor.ended.toSorted()).toEqual(jobs.toSorted());
    expect(it.processor.mostAtOnce).toBe(7);
    expect(await line()).toEqual([]);
  });

  test('one slot runs jobs in the order of their line', async () => {
    await push(...numbers(200));
    const it = await started(() => undefined, { concurrency: 1 });
    await eventually(() => expect(it.processor.ended).toHaveLength(200));
    expect(it.processor.ended).toEqual(numbers(200));
  });

  test('quick jobs come in batches, far larger than the free slots', async () => {
    const jobs = 20_000;
    await push(...numbers(jobs));
    const it = await started(() => undefined, { concurrency: 10 });
    await eventually(() => expect(it.processor.ended).toHaveLength(jobs));
    expect(it.batches.length).toBeLessThan(jobs / 20);
  });

  test('S1: a job whose processor breaks goes to the dead set with its bytes, and its slot is free again', async () => {
    await push('bad', 'good');
    const logger = new RecordingLogger();
    const run = (text: string) => {
      if (text === 'bad') throw new Error('a bug');
    };
    const it = await started(run, { concurrency: 1 }, logger);
    await eventually(() => expect(it.processor.ended).toEqual(['good']));
    await eventually(async () => expect(await redis.connect().zrange(keys.dead, '0', '-1')).toEqual(['bad']));
    expect(it.manager.busy).toBe(0);
    expect(logger.matching('error', 'A processor failed outside of its job')).toHaveLength(1);
  });

  test('S1: a listener that throws strands no batch', async () => {
    const logger = new RecordingLogger();
    const it = await started(() => undefined, {}, logger);
    it.manager.events.on('fetched', () => {
      throw new Error('a bug of a listener');
    });
    await push('1', '2');
    await eventually(() => expect(it.processor.ended.toSorted()).toEqual(['1', '2']));
    expect(logger.matching('error', 'A listener of the manager failed')).not.toEqual([]);
    expect(logger.matching('error', "Can't fetch")).toEqual([]);
  });

  test('without claim-ahead it never takes more than its free slots', async () => {
    await push(...numbers(500));
    const it = await started(() => undefined, { concurrency: 10, claimAheadMs: 0 });
    await eventually(() => expect(it.processor.ended).toHaveLength(500));
    expect(Math.max(...it.batches)).toBe(10);
  });

  test('what one turn of the event loop frees is asked for in one fetch', async () => {
    await push(...numbers(500));
    const fetcher = new ListFetcher({ url: redis.url });
    cleanUps.push(() => fetcher.stop(AbortSignal.abort()));
    await fetcher.start();
    let ended = 0;
    const outcome = { kind: 'done' } as const;
    // As quick as can be, so that slots are free again before the fetch that filled them is over.
    const process = (unit: UnitOfWork) => {
      ended += 1;
      return Promise.resolve({ outcome, settlement: unit.settle(outcome) });
    };
    const order = new QueueOrder([{ name: 'q', weight: 0 }]);
    const parts = { fetcher, processor: { process }, order, running: new RunningJobs() };
    const manager = new Manager(parts, { concurrency: 10, claimAheadMs: 0 });
    cleanUps.push(() => manager.stop(AbortSignal.abort()));
    let fetches = 0;
    manager.events.on('fetched', () => {
      fetches += 1;
    });
    await manager.start();
    await eventually(() => expect(ended).toBe(500));
    expect(fetches).toBe(50);
  });

  test('while every job is synchronous, timers and replies still have their turns', async () => {
    await push(...numbers(300));
    const other = redis.connect();
    await other.ping();
    let turns = 0;
    const beat = setInterval(() => {
      turns += 1;
    }, 1);
    const it = await started(() => spin(1), { concurrency: 50 });
    let replies = 0;
    while (it.processor.ended.length < 300) {
      await other.ping();
      replies += 1;
    }
    clearInterval(beat);
    // 300 ms of work: all in one go would leave room for none, a turn each few milliseconds for dozens.
    expect(turns).toBeGreaterThan(20);
    expect(replies).toBeGreaterThan(20);
  });

  test('an idle process with a slow job takes the next job at once, and only as many as it has slots', async () => {
    await push('slow 1');
    const it = await started((_text, signal) => untilAborted(signal), { concurrency: 3 });
    await eventually(() => expect(it.manager.busy).toBe(1));
    await push('slow 2', 'slow 3', 'next');
    await eventually(() => expect(it.manager.busy).toBe(3));
    expect(await line()).toEqual(['next']);
    expect(it.manager.waiting).toBe(0);
  });

  test('what was claimed ahead of slow jobs goes back to the head of the line, in its order', async () => {
    const quick = numbers(3_000);
    const slow = numbers(1_000, 10_001);
    await push(...quick, ...slow);
    const it = await started((text, signal) => (Number(text) > 10_000 ? untilAborted(signal) : undefined), {
      concurrency: 5,
    });
    await eventually(() => expect(it.givenBack).toContainEqual([expect.any(Number), 'late']));
    expect(it.processor.ended.toSorted()).toEqual(quick.toSorted());
    // All but the five that run stand there again, for any other process to take.
    await eventually(async () => expect(await line()).toEqual(slow.slice(5)));
    expect(it.manager.waiting).toBe(0);
  });

  test('one slow job among quick ones holds up none of them', async () => {
    await push('slow', ...numbers(5_000));
    const it = await started((text, signal) => (text === 'slow' ? untilAborted(signal) : undefined), {
      concurrency: 2,
    });
    await eventually(() => expect(it.processor.ended).toHaveLength(5_000));
    expect(it.manager.busy).toBe(1);
    expect(it.givenBack).toEqual([]);
  });

  test('quiet: what runs goes on, what was claimed ahead goes back in its order, and no more is taken', async () => {
    const hold = gateOf();
    const jobs = numbers(2_000);
    await push(...jobs);
    // Quick until the 1000th, so that it claims ahead; patience is long, so that only the quiet gives back.
    const it = await started((text) => (Number(text) > 1_000 ? hold.promise : undefined), {
      concurrency: 4,
      claimAheadMs: 1_000,
      maxBatch: 100,
    });
    await eventually(() => {
      expect(it.processor.ended).toHaveLength(1_000);
      expect(it.manager.busy).toBe(4);
      expect(it.manager.waiting).toBeGreaterThan(0);
    });
    await it.manager.quiet();
    expect(it.manager.waiting).toBe(0);
    expect(it.manager.busy).toBe(4);
    await eventually(async () => expect(await line()).toEqual(numbers(996, 1_005)));
    hold.resolve();
    await it.manager.stop(new AbortController().signal);
    expect(it.processor.ended).toHaveLength(1_004);
    expect(await line()).toEqual(numbers(996, 1_005));
  });

  test('quiet: what runs is told at once, long before the deadline of a stop', async () => {
    await push('1', '2');
    const it = await started((_text, _signal, stopping) => untilAborted(stopping), { concurrency: 2 });
    await eventually(() => expect(it.manager.busy).toBe(2));
    await it.manager.quiet();
    await eventually(() => expect(it.processor.ended.toSorted()).toEqual(['1', '2']));
  });

  test('quiet: what a fetch brings that was on its way goes back', async () => {
    const it = make(() => undefined);
    await it.fetcher.start();
    const { gate, asked } = holdFetches(it.fetcher);
    await push('1', '2', '3');
    await it.manager.start();
    await asked.promise;
    const quiet = it.manager.quiet();
    gate.resolve();
    await quiet;
    expect(it.givenBack).toEqual([[3, 'quiet']]);
    await eventually(async () => expect(await line()).toEqual(['1', '2', '3']));
    expect(it.processor.ended).toEqual([]);
  });

  test('stop waits for what runs', async () => {
    const hold = gateOf();
    await push('1');
    const it = await started(() => hold.promise);
    await eventually(() => expect(it.manager.busy).toBe(1));
    const stopped = it.manager.stop(new AbortController().signal);
    hold.resolve();
    await stopped;
    expect(it.processor.ended).toEqual(['1']);
    expect(await line()).toEqual([]);
  });

  test('S5: at the deadline of a stop the same bytes go back to the head of the line', async () => {
    const odd = Buffer.from([0xff, 0x00, 0x7b]);
    const connection = redis.connect();
    await connection.lpush(keys.queue('q'), odd);
    const it = await started(() => new Promise(() => undefined)); // heeds nothing
    await eventually(() => expect(it.manager.busy).toBe(1));
    await connection.lpush(keys.queue('q'), 'younger');
    await it.manager.quiet();
    const deadline = new AbortController();
    const stopped = it.manager.stop(deadline.signal);
    deadline.abort();
    await stopped;
    expect(it.givenBack).toEqual([[1, 'deadline']]);
    expect(await connection.lrangeBuffer(keys.queue('q'), 0, -1)).toEqual([Buffer.from('younger'), odd]);
  });

  test('a job that heeds its signal at the deadline ends by itself, with the reason TSQ_JOB_STOPPED', async () => {
    await push('1');
    let reason: unknown;
    const it = await started(
      async (_text, signal) => {
        await untilAborted(signal);
        reason = signal.reason;
        throw signal.reason;
      },
      { stopGraceMs: 10_000 },
    );
    await eventually(() => expect(it.manager.busy).toBe(1));
    await it.manager.stop(AbortSignal.abort());
    expect(reason).toMatchObject({ code: 'TSQ_JOB_STOPPED' });
    expect(it.givenBack).toEqual([]);
    expect(await line()).toEqual(['1']);
  });

  test('the deadline of one manager leaves the jobs of another alone', async () => {
    await push('1', '2');
    const first = await started((_text, signal) => untilAborted(signal), { concurrency: 1 });
    await eventually(() => expect(first.manager.busy).toBe(1));
    const fetcher = new ListFetcher({ url: redis.url });
    cleanUps.push(() => fetcher.stop(AbortSignal.abort()));
    await fetcher.start();
    const order = new QueueOrder([{ name: 'q', weight: 0 }]);
    const { processor } = first;
    const second = new Manager({ fetcher, processor, order, running: processor.running }, { concurrency: 1 });
    cleanUps.push(() => second.stop(AbortSignal.abort()));
    await second.start();
    await eventually(() => expect(second.busy).toBe(1));
    await first.manager.stop(AbortSignal.abort());
    expect(second.busy).toBe(1);
  });

  test('quiet: what waits and what a fetch brings meanwhile go back in the order of their line', async () => {
    await push(...numbers(2_000));
    const hold = gateOf();
    let isHolding = false;
    const it = make(() => (isHolding ? hold.promise : undefined), {
      concurrency: 1,
      claimAheadMs: 1_000,
      maxBatch: 100,
    });
    await it.fetcher.start();
    // Held is the first fetch that is sent while jobs wait; from then on the one slot is held too.
    const { gate, asked } = holdFetches(it.fetcher, () => {
      isHolding ||= it.processor.ended.length >= 100 && it.manager.waiting > 0;
      return isHolding;
    });
    await it.manager.start();
    await asked.promise;
    const quiet = it.manager.quiet();
    gate.resolve();
    await quiet;
    hold.resolve();
    await it.manager.stop(new AbortController().signal);
    const ended = it.processor.ended.length;
    expect(it.processor.ended).toEqual(numbers(ended));
    expect(await line()).toEqual(numbers(2_000 - ended, ended + 1));
  });

  test('a stop waits for the fetch on its way, and gives back what it brings', async () => {
    const it = make(() => undefined);
    await it.fetcher.start();
    const { gate, asked } = holdFetches(it.fetcher);
    await push('1', '2');
    await it.manager.start();
    await asked.promise;
    const stopped = it.manager.stop(new AbortController().signal);
    gate.resolve();
    await stopped;
    expect(await line()).toEqual(['1', '2']);
    expect(it.processor.ended).toEqual([]);
  });

  test('a stop ends although a fetch hangs, and gives back what it brings too late', async () => {
    const it = make(() => undefined, { settleWaitMs: 20 });
    await it.fetcher.start();
    const { gate, asked } = holdFetches(it.fetcher);
    await push('1', '2');
    await it.manager.start();
    await asked.promise;
    await it.manager.stop(AbortSignal.abort());
    gate.resolve();
    await eventually(() => expect(it.givenBack).toEqual([[2, 'quiet']]));
    await eventually(async () => expect(await line()).toEqual(['1', '2']));
  });

  test('a Redis that is killed and comes back is waited for, with two lines in the log', async () => {
    const logger = new RecordingLogger();
    await push('before');
    const it = await started(() => undefined, { longestPauseMs: 20 }, logger);
    await eventually(() => expect(it.processor.ended).toEqual(['before']));
    await redis.kill();
    await eventually(() =>
      expect(logger.matching('debug', "Can't fetch jobs; trying again")).toHaveLength(1),
    );
    await redis.start();
    await push('after');
    await eventually(() => expect(it.processor.ended).toEqual(['before', 'after']));
    await eventually(() => expect(logger.matching('info', 'Redis is back')).toHaveLength(1));
    const said = logger.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message);
    expect(said).toEqual(['Redis is away; trying again until it is back', 'Redis is back']);
  });
});

/** A promise that the test resolves. */
function gateOf(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((open) => {
    resolve = open;
  });
  return { promise, resolve };
}

/** Fetches that are to be held wait at the gate; the first to come there says so. */
function holdFetches(fetcher: ListFetcher, isHeld = () => true) {
  const gate = gateOf();
  const asked = gateOf();
  const fetch = fetcher.fetch.bind(fetcher);
  fetcher.fetch = async (queues, max) => {
    if (isHeld()) {
      asked.resolve();
      await gate.promise;
    }
    return await fetch(queues, max);
  };
  return { gate, asked };
}

/** Blocks the event loop. */
function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
