import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { type Client, cancelIteration, type Job, keys, MiddlewareChain, TsqError } from '@tsq/core';
import { describeWithRuby, eventually, RecordingLogger, useRedis } from '@tsq/core/test-support';
import { z } from 'zod';
import { currentJob } from './current-job.js';
import { defineIterableWorker } from './define-iterable-worker.js';
import { arrayEnumerator, pageEnumerator } from './enumerators.js';
import { IterableWorker, type IterationSteps } from './iterable-worker.js';
import { IterationRunner, type IterationRunnerOptions } from './iteration-runner.js';
import { JobMetrics } from './job-metrics.js';
import { JobStats } from './job-stats.js';
import { Processor } from './processor.js';
import type { AnyWorker } from './registered-worker.js';
import { RunningJobs } from './running-jobs.js';
import { RecordingUnit } from './test-support/recording-unit.js';
import { Worker } from './worker-decorator.js';
import { WorkerRegistry } from './worker-registry.js';

const jid = '0123456789abcdef01234567';
const key = keys.iteration(jid);
const payload = (more: object = {}) =>
  `{"class":"Walk","args":["x"],"jid":"${jid}","queue":"q","retry":true,"enqueued_at":1.5${Object.entries(
    more,
  )
    .map(([name, value]) => `,"${name}":${JSON.stringify(value)}`)
    .join('')}}`;
const letters = ['a', 'b', 'c', 'd', 'e'];
const day = 86_400;

/** Walks over letters; notes what is called, and does `during` in each iteration. */
function walk(during: (letter: string) => unknown = () => undefined, settings: object = {}) {
  const calls: string[] = [];
  const steps: IterationSteps<[name: string], string, number> = {
    enumerator(args, cursor) {
      calls.push(`enumerator(${args[0]},${cursor})`);
      return arrayEnumerator(letters, cursor);
    },
    async eachIteration(letter) {
      calls.push(letter);
      await during(letter);
    },
    onStart: () => calls.push('onStart'),
    onResume: () => calls.push('onResume'),
    onStop: () => calls.push('onStop'),
    onCancel: () => calls.push('onCancel'),
    onComplete: () => calls.push('onComplete'),
  };
  return { worker: defineIterableWorker('Walk', settings, steps), calls };
}

describe('a worker that iterates', () => {
  const redis = useRedis();

  function processorOf(worker: AnyWorker, options: Partial<IterationRunnerOptions> = {}) {
    const middleware = new MiddlewareChain<Job, void>();
    const parts = { running: new RunningJobs(), stats: new JobStats(), metrics: new JobMetrics() };
    const logger = new RecordingLogger();
    const connection = redis.connect();
    const runner = new IterationRunner({ redis: connection, logger, storeEachMs: 3_600_000, ...options });
    const registry = new WorkerRegistry([worker]);
    const processor = new Processor({ ...parts, registry, middleware, logger, iterations: runner });
    const quiet = () => {
      for (const job of parts.running.list()) job.tellStopping?.();
    };
    const abort = (reason: TsqError) => {
      for (const job of parts.running.list()) job.abort(reason);
    };
    const run = async (bytes: string = payload()) => {
      const unit = new RecordingUnit(bytes, 'taken-from');
      const { outcome } = await processor.process(unit);
      return { outcome, bytes: unit.bytes };
    };
    return { ...parts, connection, middleware, logger, quiet, abort, run };
  }

  test('walks from the beginning to the end, and leaves no state', async () => {
    const { worker, calls } = walk();
    const it = processorOf(worker, { storeEachMs: 0 });
    expect((await it.run()).outcome).toEqual({ kind: 'done' });
    expect(calls).toEqual(['enumerator(x,undefined)', 'onStart', ...letters, 'onStop', 'onComplete']);
    await eventually(async () => expect(await it.connection.exists(key)).toBe(0));
    expect(it.stats.take()).toEqual({ processed: 1, failed: 0 });
  });

  test("a quiet interrupts it before the next item: the same bytes go to the head of the line, and its state is Ruby's", async () => {
    const { worker, calls } = walk((letter) => {
      if (letter === 'b') it.quiet();
    });
    const it = processorOf(worker);
    expect((await it.run()).outcome).toEqual({ kind: 'requeue' });
    expect(calls.slice(2)).toEqual(['a', 'b', 'onStop']);
    expect(await it.connection.hgetall(key)).toEqual({
      ex: '1',
      c: '2',
      rt: expect.stringMatching(/^0\.\d+$/),
    });
    const ttlSeconds = await it.connection.ttl(key);
    expect(ttlSeconds).toBeGreaterThan(30 * day - 60);
    expect(ttlSeconds).toBeLessThanOrEqual(30 * day);
    // Not at its end, and no failure: only its time counts.
    expect(it.stats.take()).toEqual({ processed: 0, failed: 0 });
    const metrics = it.metrics.take()[0]?.classes.get('Walk');
    expect(metrics).toMatchObject({ processed: 1, failed: 0, milliseconds: expect.any(Number) });
    expect(it.logger.matching('info', 'goes on later')).toHaveLength(1);
  });

  test('goes on where it stood, in another process', async () => {
    const first = walk((letter) => {
      if (letter === 'b') one.quiet();
    });
    const one = processorOf(first.worker);
    await one.run();
    const second = walk();
    const other = processorOf(second.worker);
    expect((await other.run()).outcome).toEqual({ kind: 'done' });
    expect(second.calls).toEqual(['enumerator(x,2)', 'onResume', 'c', 'd', 'e', 'onStop', 'onComplete']);
    await eventually(async () => expect(await other.connection.exists(key)).toBe(0));
  });

  test('its runtime over, it makes room: to the back of its line, where it waits since now', async () => {
    const { worker } = walk(() => delay(2), { maxIterationRuntime: 0.001 });
    const it = processorOf(worker, { maxIterationRuntime: 3_600 });
    const before = Date.now() / 1_000;
    const { outcome, bytes } = await it.run(payload({ odd: 1 }));
    if (outcome.kind !== 'yield') throw new Error(`the outcome is ${outcome.kind}`);
    const enqueuedAt = JSON.parse(outcome.bytes.toString()).enqueued_at;
    expect(enqueuedAt).toBeGreaterThanOrEqual(before - 0.001);
    expect(outcome.bytes.toString()).toBe(bytes.toString().replace('1.5', JSON.stringify(enqueuedAt)));
    expect(await it.connection.hget(key, 'c')).toBe('1');
    expect(it.stats.take()).toEqual({ processed: 0, failed: 0 });
  });

  test('however short its runtime, each run does one item', async () => {
    const calls: string[] = [];
    const slow = defineIterableWorker(
      'Walk',
      { maxIterationRuntime: 0.001 },
      {
        enumerator: () => delay(5, arrayEnumerator(letters, 0)),
        eachIteration: () => calls.push('item'),
      },
    );
    const { outcome } = await processorOf(slow).run();
    expect(outcome.kind).toBe('yield');
    expect(calls).toEqual(['item']);
  });

  test('middleware hears of an interruption, and can not turn it into a job that is done', async () => {
    const { worker } = walk(() => it.quiet());
    const it = processorOf(worker);
    const heard: unknown[] = [];
    it.middleware.add('swallows', (_job, next) => next().catch((error: unknown) => void heard.push(error)));
    expect((await it.run()).outcome).toEqual({ kind: 'requeue' });
    expect(heard).toEqual([expect.objectContaining({ code: 'TSQ_JOB_INTERRUPTED' })]);
    expect(await it.connection.hget(key, 'c')).toBe('1');
  });

  test('an iteration that throws is where its retry goes on', async () => {
    const first = walk((letter) => {
      if (letter === 'c') throw new RangeError('no');
    });
    const one = processorOf(first.worker);
    expect((await one.run()).outcome).toMatchObject({ kind: 'retry' });
    expect(first.calls.slice(2)).toEqual(['a', 'b', 'c']);
    expect(await one.connection.hgetall(key)).toMatchObject({ ex: '1', c: '2' });
    expect(one.stats.take()).toEqual({ processed: 1, failed: 1 });
    const second = walk();
    await processorOf(second.worker).run();
    expect(second.calls.slice(0, 3)).toEqual(['enumerator(x,2)', 'onResume', 'c']);
  });

  test('middleware that throws after the walk costs no state: the job is not done', async () => {
    const { worker } = walk(undefined);
    const it = processorOf(worker, { storeEachMs: 0 });
    it.middleware.add('fails', async (_job, next) => {
      await next();
      throw new Error('no');
    });
    expect((await it.run()).outcome).toMatchObject({ kind: 'retry' });
    expect(await it.connection.hget(key, 'c')).toBe('4');
  });

  test('the cursor is stored now and then, before its item', async () => {
    const seen: (string | null)[] = [];
    const { worker } = walk(async () => void seen.push(await it.connection.hget(key, 'c')));
    const it = processorOf(worker, { storeEachMs: 0 });
    await it.run();
    expect(seen).toEqual(['0', '1', '2', '3', '4']);
  });

  test.each([
    ['with an empty state, as tsq writes it', () => cancelIteration(redis.connect(), jid)],
    [
      "with the mark alone, as Ruby's cancel! leaves it",
      () => redis.connect().hset(key, 'cancelled', 1_795_466_808),
    ],
  ])('cancelled before its start, %s, it is done without an item', async (_name, cancel) => {
    await cancel();
    const { worker, calls } = walk();
    const it = processorOf(worker);
    expect((await it.run()).outcome).toEqual({ kind: 'done' });
    expect(calls).toEqual(['onCancel']);
    await eventually(async () => expect(await it.connection.exists(key)).toBe(0));
  });

  test('cancelled in the middle, it ends when it stores its cursor next', async () => {
    const { worker, calls } = walk((letter) =>
      letter === 'b' ? cancelIteration(it.connection, jid) : undefined,
    );
    const it = processorOf(worker, { storeEachMs: 0 });
    expect((await it.run()).outcome).toEqual({ kind: 'done' });
    expect(calls.slice(2)).toEqual(['a', 'b', 'onCancel', 'onStop']);
    await eventually(async () => expect(await it.connection.exists(key)).toBe(0));
  });

  test('cancelled and interrupted at once, it is done and does not come back', async () => {
    const { worker, calls } = walk(async () => {
      await cancelIteration(it.connection, jid);
      it.quiet();
    });
    const it = processorOf(worker);
    expect((await it.run()).outcome).toEqual({ kind: 'done' });
    expect(calls.slice(2)).toEqual(['a', 'onCancel', 'onStop']);
  });

  test.each([
    ['between two items', () => undefined],
    ['in an iteration that heeds its signal', () => currentJob().signal.throwIfAborted()],
  ])('cancelled by its signal, %s, it ends as by its mark', async (_name, heed) => {
    const { worker, calls } = walk((letter) => {
      if (letter !== 'b') return;
      it.abort(new TsqError('TSQ_JOB_CANCELLED', 'somebody has cancelled the job'));
      heed();
    });
    const it = processorOf(worker, { storeEachMs: 0 });
    expect((await it.run()).outcome).toEqual({ kind: 'done' });
    expect(calls.slice(2)).toEqual(['a', 'b', 'onCancel']);
    await eventually(async () => expect(await it.connection.exists(key)).toBe(0));
  });

  test('a state as Ruby 7.3 writes it is gone on with, and added to', async () => {
    const { worker, calls } = walk((letter) => {
      if (letter === 'd') it.quiet();
    });
    const it = processorOf(worker);
    await it.connection.hset(key, { ex: 2, c: '2', rt: '11.500275' });
    expect((await it.run()).outcome).toEqual({ kind: 'requeue' });
    expect(calls).toEqual(['enumerator(x,2)', 'onResume', 'c', 'd', 'onStop']);
    const state = await it.connection.hgetall(key);
    expect(state).toMatchObject({ ex: '3', c: '4' });
    expect(Number(state.rt)).toBeGreaterThan(11.500275);
    expect(Number(state.rt)).toBeLessThan(60);
  });

  test('a cursor of any JSON comes back exactly as it was', async () => {
    const cursors = [{ id: 12345678901234567890n, at: [1.5, null, 'é'] }, 'second'] as const;
    const seen: unknown[] = [];
    const worker = defineIterableWorker(
      'Walk',
      {},
      {
        *enumerator(_args: readonly unknown[], cursor: unknown) {
          seen.push(cursor);
          for (const each of cursors) yield [0, each] as const;
        },
        eachIteration: () => it.quiet(),
      },
    );
    const it = processorOf(worker);
    await it.connection.hset(key, { ex: 1, c: '{"id":12345678901234567890,"at":[1.5,null,"é"]}', rt: '0' });
    await it.run();
    expect(seen).toEqual([cursors[0]]);
    expect(await it.connection.hget(key, 'c')).toBe('"second"');
  });

  test('a cursor that JSON can not carry fails at the first item', async () => {
    const worker = defineIterableWorker(
      'Walk',
      {},
      {
        enumerator: () => [['item', Number.NaN] as const],
        eachIteration: () => undefined,
      },
    );
    const { outcome } = await processorOf(worker).run();
    expect(outcome).toMatchObject({ kind: 'retry' });
  });

  test('a stored cursor that is no JSON fails the job, which begins nothing', async () => {
    const { worker, calls } = walk();
    const it = processorOf(worker);
    await it.connection.hset(key, { ex: 1, c: '{', rt: 0 });
    const { outcome } = await it.run();
    expect('bytes' in outcome && outcome.bytes.toString()).toContain('TSQ_ITERATION_UNREADABLE');
    expect(calls).toEqual([]);
  });

  test('S2: once the claim is lost it stores nothing: another run does', async () => {
    const { worker, calls } = walk(async (letter) => {
      if (letter !== 'b') return;
      it.abort(new TsqError('TSQ_CLAIM_LOST', 'another instance owns it'));
      await it.connection.hset(key, { ex: 2, c: '4', rt: 0 });
    });
    const it = processorOf(worker, { storeEachMs: 0 });
    await it.run();
    expect(calls.slice(2)).toEqual(['a', 'b']);
    expect(await it.connection.hget(key, 'c')).toBe('4');
  });

  test('at the deadline of a stop an iteration that heeds its signal goes back, and to its item', async () => {
    const { worker } = walk((letter) => {
      if (letter !== 'c') return;
      it.abort(new TsqError('TSQ_JOB_STOPPED', 'the process stops'));
      currentJob().signal.throwIfAborted();
    });
    const it = processorOf(worker);
    expect((await it.run()).outcome).toEqual({ kind: 'requeue' });
    expect(await it.connection.hget(key, 'c')).toBe('2');
  });

  test('a timeout fails it between two items, and the retry goes on there', async () => {
    const { worker, calls } = walk(() => it.abort(new TsqError('TSQ_JOB_TIMEOUT', 'it ran too long')));
    const it = processorOf(worker);
    const { outcome } = await it.run();
    expect('bytes' in outcome && outcome.bytes.toString()).toContain('TSQ_JOB_TIMEOUT');
    expect(calls.slice(2)).toEqual(['a']);
    expect(await it.connection.hget(key, 'c')).toBe('1');
  });

  test('a full Redis costs work done twice, not the job: it is logged once, and the walk goes on', async () => {
    const { worker, calls } = walk();
    const it = processorOf(worker, { storeEachMs: 0 });
    await it.connection.config('SET', 'maxmemory', '1');
    try {
      expect((await it.run()).outcome).toEqual({ kind: 'done' });
    } finally {
      await it.connection.config('SET', 'maxmemory', '0');
    }
    expect(calls).toContain('onComplete');
    expect(it.logger.matching('error', "Can't store where iterable jobs stand")).toHaveLength(1);
  });

  test('a walk that never awaits anything hears of the stop all the same', async () => {
    let items = 0;
    const worker = defineIterableWorker(
      'Walk',
      {},
      {
        *enumerator() {
          for (let index = 0; ; index += 1) yield [index, index] as const;
        },
        eachIteration: () => {
          items += 1;
          if (items === 1) setImmediate(it.quiet);
        },
      },
    );
    const it = processorOf(worker);
    expect((await it.run()).outcome).toEqual({ kind: 'requeue' });
    expect(items).toBeGreaterThan(0);
  });

  test('a job without a jid runs through, stores nothing, and is not interrupted', async () => {
    const { worker, calls } = walk(() => it.quiet());
    const it = processorOf(worker, { storeEachMs: 0 });
    expect((await it.run('{"class":"Walk","args":["x"]}')).outcome).toEqual({ kind: 'done' });
    expect(calls).toContain('onComplete');
    expect(await it.connection.keys('*')).toEqual([]);
  });

  test('nothing to walk over: an enumerator of undefined, and an empty one', async () => {
    for (const source of [undefined, []]) {
      const worker = defineIterableWorker(
        'Walk',
        {},
        { enumerator: () => source, eachIteration: () => undefined },
      );
      expect((await processorOf(worker).run()).outcome).toEqual({ kind: 'done' });
    }
  });

  test('a class: args by its schema, its job, around each iteration, and a new instance for each run', async () => {
    const seen: unknown[] = [];
    @Worker({ name: 'Walk', args: z.tuple([z.string()]) })
    class Walk extends IterableWorker<[name: string], string, number> {
      private count = 0;
      async *enumerator([name]: [name: string], cursor: number | undefined) {
        seen.push(name, this.job.jid);
        yield* arrayEnumerator(['a', 'b'], cursor);
      }
      eachIteration(letter: string, name: string) {
        this.count += 1;
        seen.push(`${letter}${name}${this.count}`);
      }
      override async aroundIteration(iterate: () => Promise<void>) {
        seen.push('before');
        await iterate();
        seen.push('after');
      }
    }
    const it = processorOf(Walk);
    expect((await it.run()).outcome).toEqual({ kind: 'done' });
    const around = (item: string) => ['before', item, 'after'];
    expect(seen.splice(0)).toEqual(['x', jid, ...around('ax1'), ...around('bx2')]);
    expect((await it.run(payload().replace('["x"]', '[5]'))).outcome).toMatchObject({ kind: 'retry' });
    expect(seen).toEqual([]);
  });

  test('in a test it runs without a runtime, from the beginning to the end', async () => {
    const { worker, calls } = walk();
    await worker.perform('y');
    expect(calls).toEqual(['enumerator(y,undefined)', 'onStart', ...letters, 'onStop', 'onComplete']);
  });

  test('without a runner its jobs fail with what to do', async () => {
    const registry = new WorkerRegistry([walk().worker]);
    const parts = {
      registry,
      middleware: new MiddlewareChain<Job, void>(),
      running: new RunningJobs(),
      stats: new JobStats(),
    };
    const unit = new RecordingUnit(payload());
    await new Processor(parts).process(unit);
    const [outcome] = unit.outcomes;
    expect(outcome !== undefined && 'bytes' in outcome && outcome.bytes.toString()).toContain(
      'IterationRunner',
    );
  });

  test('without its steps a definition is refused', () => {
    const broken = { enumerator: () => [] } as never;
    expect(() => defineIterableWorker('Walk', {}, broken)).toThrow(
      expect.objectContaining({ code: 'TSQ_WORKER_INVALID' }),
    );
    expect(() => walk(undefined, { maxIterationRuntime: 0 })).toThrow(
      expect.objectContaining({ code: 'TSQ_WORKER_INVALID' }),
    );
  });
});

test('its types: what enqueue takes, what the schema gives, and what its steps hand on to each other', () => {
  @Worker({ args: z.tuple([z.string()]) })
  class Typed extends IterableWorker<[name: string], number, number> {
    enumerator(_args: [name: string], cursor: number | undefined) {
      return arrayEnumerator([1, 2], cursor);
    }
    eachIteration(item: number, name: string) {
      return item + name.length;
    }
  }
  // @ts-expect-error: the schema gives a number where the steps want a string
  @Worker({ args: z.tuple([z.number()]) })
  class Mistyped extends Typed {}
  const byFunction = defineIterableWorker(
    'F',
    { args: z.tuple([z.string()]) },
    {
      enumerator: ([name], cursor: number | undefined) => arrayEnumerator([...name], cursor),
      eachIteration: (letter, name) => letter + name,
    },
  );
  const enqueues = async (client: Client) => {
    await client.enqueue(Typed, 'a');
    await client.enqueue(byFunction, 'a');
    // @ts-expect-error: a string is wanted
    await client.enqueue(Typed, 1);
    // @ts-expect-error: a string is wanted
    await client.enqueue(byFunction, 1);
  };
  expect([enqueues, Mistyped]).toHaveLength(2);
});

describe('pageEnumerator', () => {
  const pages: Readonly<Record<string, { items: string[]; next?: string | null }>> = {
    first: { items: ['a', 'b'], next: 'p2' },
    p2: { items: [], next: 'p3' },
    p3: { items: ['c'], next: null },
  };
  const walked = async (cursor: string | undefined) => {
    const steps: unknown[] = [];
    for await (const step of pageEnumerator(
      (at: string | undefined) => pages[at ?? 'first'] ?? { items: [] },
      cursor,
    )) {
      steps.push(step);
    }
    return steps;
  };

  test('gives each page that has items, with the cursor that it was asked for with', async () => {
    expect(await walked(undefined)).toEqual([
      [['a', 'b'], null],
      [['c'], 'p3'],
    ]);
    expect(await walked('p3')).toEqual([[['c'], 'p3']]);
  });
});

describeWithRuby('the state of an iteration', (ruby) => {
  const redis = useRedis();

  test('is read by Ruby as Sidekiq reads it at the start of a run', async () => {
    const { worker } = walk(() => {
      for (const job of running.list()) job.tellStopping?.();
    });
    const running = new RunningJobs();
    const connection = redis.connect();
    const registry = new WorkerRegistry([worker]);
    const iterations = new IterationRunner({ redis: connection });
    const middleware = new MiddlewareChain<Job, void>();
    await new Processor({ registry, middleware, running, stats: new JobStats(), iterations }).process(
      new RecordingUnit(payload()),
    );
    const script = `
      state = Sidekiq.redis { |c| c.hgetall("it-#{args[0]}") }
      { ex: state["ex"].to_i, c: Sidekiq.load_json(state["c"]), late: state["rt"].to_f > 0, keys: state.keys.sort }
    `;
    expect(await ruby.run(script, { redisUrl: redis.url, args: [jid] })).toEqual({
      ...{ ex: 1, c: 1, late: true, keys: ['c', 'ex', 'rt'] },
    });
  });
});
