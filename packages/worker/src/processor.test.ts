import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import {
  type FunctionWorker,
  type Job,
  MiddlewareChain,
  type Outcome,
  type Settlement,
  TsqError,
  type WorkerOptions,
} from '@tsq/core';
import { eventually, RecordingLogger } from '@tsq/core/test-support';
import { pino } from 'pino';
import { z } from 'zod';
import type { Clock } from './clock.js';
import { currentJob, maybeCurrentJob } from './current-job.js';
import { defineWorker } from './define-worker.js';
import { JobMetrics } from './job-metrics.js';
import { JobStats } from './job-stats.js';
import { Processor } from './processor.js';
import type { ProcessorSettings } from './processor-settings.js';
import { RunningJobs } from './running-jobs.js';
import { RecordingUnit } from './test-support/recording-unit.js';
import { Worker } from './worker-decorator.js';
import { WorkerRegistry } from './worker-registry.js';

const payload = (more: object = {}) => ({
  class: 'W',
  args: [],
  jid: 'j1',
  queue: 'q',
  retry: true,
  ...more,
});

/** A processor that knows one worker, `W`. */
function processorOf(worker: FunctionWorker | (() => unknown), settings: ProcessorSettings = {}) {
  const middleware = new MiddlewareChain<Job, void>();
  const running = new RunningJobs();
  const stats = new JobStats();
  const logger = new RecordingLogger();
  const registry = new WorkerRegistry([typeof worker === 'function' ? defineWorker('W', worker) : worker]);
  const processor = new Processor({ registry, middleware, running, stats, logger }, settings);
  return { processor, middleware, running, stats, logger, lines: logger.lines };
}

const noCounts = { unreadable: 0, refused: 0, expired: 0, cancelled: 0, lost: 0, unknown: 0 };

const stopReason = new TsqError('TSQ_JOB_STOPPED', 'the process stops');

function failWith(error: unknown) {
  return () => {
    throw error;
  };
}

function unreadableError(): Error {
  return Object.defineProperty(new Error('x'), 'detail', {
    enumerable: true,
    get: failWith(new Error('no')),
  });
}

/** Of the only settle. */
function outcomeOf(unit: RecordingUnit): Outcome {
  expect(unit.outcomes).toHaveLength(1);
  const [outcome] = unit.outcomes;
  if (outcome === undefined) throw new Error('nothing was settled');
  return outcome;
}

function fieldsOf(unit: RecordingUnit): Record<string, unknown> {
  const outcome = outcomeOf(unit);
  if (!('bytes' in outcome)) throw new Error(`the outcome is ${outcome.kind}`);
  return JSON.parse(outcome.bytes.toString());
}

describe('Processor', () => {
  test('a job that returns is done, counted and off the list of what runs', async () => {
    const seen: unknown[] = [];
    const { processor, stats, running } = processorOf(
      defineWorker('W', (...args: unknown[]) => {
        seen.push(
          args,
          running.list().map((job) => job.unit),
        );
      }),
    );
    const unit = new RecordingUnit(payload({ args: [1, 'x', 2 ** 53] }));
    const { outcome, settlement } = await processor.process(unit);
    expect(outcome).toEqual({ kind: 'done' });
    expect(outcomeOf(unit)).toBe(outcome);
    expect(await settlement).toBe('settled');
    expect(seen).toEqual([[1, 'x', 9_007_199_254_740_992n], [unit]]);
    expect(running.size).toBe(0);
    expect(stats.take()).toEqual({ processed: 1, failed: 0 });
    expect(unit.whenLost).toBeUndefined();
  });

  test('metrics count what ended under a name that this process knows, and nothing that goes back', async () => {
    const metrics = new JobMetrics();
    const registry = new WorkerRegistry([
      defineWorker('Ok', () => undefined),
      defineWorker('Bad', failWith(new Error('no'))),
      defineWorker('Stopped', () => {
        for (const job of running.list()) job.abort(stopReason);
        throw stopReason;
      }),
    ]);
    const running = new RunningJobs();
    const middleware = new MiddlewareChain<Job, void>();
    const processor = new Processor({ registry, middleware, running, stats: new JobStats(), metrics });
    for (const name of ['Ok', 'Ok', 'Bad', 'Stopped', 'Unknown']) {
      await processor.process(new RecordingUnit(payload({ class: name })));
    }
    const classes = new Map(metrics.take().flatMap((minute) => [...minute.classes]));
    expect([...classes.keys()]).toEqual(['Ok', 'Bad']);
    expect(classes.get('Ok')).toMatchObject({ processed: 2, failed: 0, milliseconds: expect.any(Number) });
    expect(classes.get('Bad')).toMatchObject({ processed: 1, failed: 1, milliseconds: 0 });
  });

  test.each<[string, () => unknown]>([
    ['throws at once', failWith(new RangeError('no'))],
    ['rejects', async () => failWith(new RangeError('no'))()],
    [
      'returns a promise of another kind that rejects',
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
      () => ({ then: (_: unknown, reject: (e: Error) => void) => reject(new RangeError('no')) }),
    ],
  ])('a job that %s is retried, and counted as failed', async (_name, perform) => {
    const { processor, stats, running } = processorOf(perform);
    const unit = new RecordingUnit(payload(), 'popped');
    await processor.process(unit);
    expect(outcomeOf(unit)).toMatchObject({ kind: 'retry', delaySeconds: expect.any(Number) });
    expect(fieldsOf(unit)).toMatchObject({ error_class: 'RangeError', error_message: 'no', queue: 'popped' });
    expect(stats.take()).toEqual({ processed: 1, failed: 1 });
    expect(running.size).toBe(0);
  });

  test.each<[string, string | Buffer]>([
    ['no JSON', '{not json'],
    ['no object', '[1]'],
    ['no class', '{"args":[]}'],
    ['args that are no array', '{"class":"W","args":{}}'],
    ['too deep', `{"class":"W","args":${'['.repeat(200)}${']'.repeat(200)}}`],
    ['nothing', ''],
  ])('bytes that are %s go to the dead set as they are, and run nothing', async (_name, bytes) => {
    const { processor, stats, lines } = processorOf(failWith(new Error('it ran')));
    const unit = new RecordingUnit(bytes);
    const { settlement } = await processor.process(unit);
    expect(await settlement).toBe('settled');
    const outcome = outcomeOf(unit);
    expect(outcome).toEqual({ kind: 'dead', bytes: unit.bytes });
    expect(processor.counts).toEqual({ ...noCounts, unreadable: 1 });
    expect(stats.take()).toEqual({ processed: 0, failed: 0 });
    expect(lines).toMatchObject([{ level: 'error', fields: { queue: 'default' } }]);
  });

  test('a class that it does not know is retried with a hint, and runs no middleware', async () => {
    const { processor, middleware } = processorOf(defineWorker('Charge', () => undefined));
    middleware.add('no', failWith(new Error('it ran')));
    const unit = new RecordingUnit(payload({ class: 'Charg' }));
    await processor.process(unit);
    expect(fieldsOf(unit)).toMatchObject({
      error_class: 'TsqError',
      error_message: 'TSQ_WORKER_UNKNOWN: this process has no worker "Charg"; did you mean "Charge"?',
    });
    const unwanted = new RecordingUnit(payload({ class: 'Charg', retry: false }));
    await processor.process(unwanted);
    expect(outcomeOf(unwanted).kind).toBe('dead');
  });

  test('args that do not fit never reach perform: the job fails and says which', async () => {
    const worker = defineWorker('W', { args: z.tuple([z.int()]) }, failWith(new Error('it ran')));
    const unit = new RecordingUnit(payload({ args: ['1'] }));
    await processorOf(worker).processor.process(unit);
    expect(fieldsOf(unit).error_message).toMatch(/^TSQ_ARGS_REJECTED: W: args\[0\]: expected/);
  });

  test('big integers arrive as text when that is asked for', async () => {
    const seen: unknown[] = [];
    const worker = defineWorker('W', (id: unknown) => seen.push(id));
    await processorOf(worker, { bigIntegers: 'string' }).processor.process(
      new RecordingUnit('{"class":"W","args":[12345678901234567890]}'),
    );
    expect(seen).toEqual(['12345678901234567890']);
  });

  describe('middleware', () => {
    test('stands around perform, first added outermost, and sees the job', async () => {
      const trace: unknown[] = [];
      const { processor, middleware } = processorOf(() => trace.push('perform'));
      for (const name of ['outer', 'inner']) {
        middleware.add(name, async (job, next) => {
          trace.push(name, job.jid);
          await next();
          trace.push(`/${name}`);
        });
      }
      await processor.process(new RecordingUnit(payload()));
      expect(trace).toEqual(['outer', 'j1', 'inner', 'j1', 'perform', '/inner', '/outer']);
    });

    test('one that throws fails the job, before perform', async () => {
      const { processor, middleware } = processorOf(failWith(new Error('it ran')));
      middleware.add('limit', failWith(new Error('over the limit')));
      const unit = new RecordingUnit(payload());
      await processor.process(unit);
      expect(fieldsOf(unit).error_message).toBe('over the limit');
    });

    test('one that catches what perform threw at once turns a failure into done', async () => {
      const { processor, middleware } = processorOf(failWith(new Error('ignored')));
      middleware.add('ignore', (_job, next) => next().catch(() => undefined));
      const unit = new RecordingUnit(payload());
      await processor.process(unit);
      expect(outcomeOf(unit).kind).toBe('done');
    });
  });

  describe('the job', () => {
    test('is at hand wherever perform goes, and on the instance', async () => {
      const seen: unknown[] = [];

      @Worker({ name: 'W', queue: 'declared', tracked: true })
      class Asking {
        declare readonly job: Job;
        async perform(): Promise<void> {
          const atOnce = currentJob();
          await delay(1);
          seen.push(atOnce, currentJob(), this.job);
        }
      }
      const registry = new WorkerRegistry([Asking]);
      const middleware = new MiddlewareChain<Job, void>().add('see', (job, next) => {
        seen.push(job);
        return next();
      });
      const parts = { registry, middleware, running: new RunningJobs(), stats: new JobStats() };
      const unit = new RecordingUnit(payload({ retry_count: 3, args: [1] }), 'popped');
      await new Processor(parts).process(unit);
      const [job] = seen;
      expect(new Set(seen).size).toBe(1);
      expect(job).toMatchObject({
        jid: 'j1',
        class: 'W',
        queue: 'popped',
        args: [1],
        retryCount: 3,
        attempt: 5,
        options: { queue: 'declared', tracked: true },
        unit,
      });
      expect(maybeCurrentJob()).toBeUndefined();
      expect(() => currentJob()).toThrow(expect.objectContaining({ code: 'TSQ_NO_CURRENT_JOB' }));
    });

    test('jobs that run at once see each their own', async () => {
      const { processor } = processorOf(
        defineWorker('W', async (jid: string) => {
          await delay(1);
          if (currentJob().jid !== jid) throw new Error('mixed up');
        }),
      );
      const jids = Array.from({ length: 20 }, (_, i) => `j${i}`);
      const ended = await Promise.all(
        jids.map((jid) => processor.process(new RecordingUnit(payload({ jid, args: [jid] })))),
      );
      expect(ended.map((job) => job.outcome.kind)).toEqual(jids.map(() => 'done'));
    });

    test('the first run is attempt 1, the first retry attempt 2', async () => {
      const attempts: number[] = [];
      const { processor } = processorOf(() => attempts.push(currentJob().attempt));
      for (const more of [{}, { retry_count: 0 }, { retry_count: -1 }]) {
        await processor.process(new RecordingUnit(payload(more)));
      }
      expect(attempts).toEqual([1, 2, 1]);
    });

    test('its logger says which job it is', async () => {
      const { processor, lines } = processorOf(() => currentJob().logger.info({ step: 1 }, 'half way'));
      await processor.process(new RecordingUnit(payload()));
      expect(lines.find((line) => line.message === 'half way')?.fields).toEqual({
        jid: 'j1',
        class: 'W',
        queue: 'default',
        step: 1,
      });
    });

    test('carries what its producer knew: locale, tags, and the attributes of the request, in the forms of 7 and of 8', async () => {
      const seen: unknown[] = [];
      const worker = defineWorker('W', { tags: ['of the worker'] }, () => {
        const job = currentJob();
        seen.push(
          job.locale,
          job.tags,
          { ...job.currentAttributes() },
          { ...job.currentAttributes('cattr_1') },
        );
      });
      const { processor } = processorOf(worker);
      const cattr = { user_id: 5 };
      await processor.process(
        new RecordingUnit(payload({ locale: 'de', tags: ['a', 'b'], cattr, cattr_1: [['tenant', 'x']] })),
      );
      expect(seen.splice(0)).toEqual(['de', ['a', 'b'], { user_id: 5 }, { tenant: 'x' }]);
      await processor.process(new RecordingUnit(payload({ locale: null, tags: null, cattr: 'text' })));
      expect(seen.splice(0)).toEqual([undefined, [], {}, {}]);
      await processor.process(new RecordingUnit(payload()));
      expect(seen).toEqual([undefined, ['of the worker'], {}, {}]);
    });

    test.each<[string, object, string]>([
      ['its class', {}, 'W'],
      ['the class behind an ActiveJob', { wrapped: 'ReportJob' }, 'ReportJob'],
      [
        'the name that somebody gave it for people',
        { wrapped: 'ReportJob', display_class: 'Report' },
        'Report',
      ],
      ['its class, when the others are no names', { wrapped: 5, display_class: null }, 'W'],
    ])('stands in the log as %s', async (_name, more, shown) => {
      const { processor, lines } = processorOf(() => currentJob().logger.info({}, 'own'));
      await processor.process(new RecordingUnit(payload({ tags: ['x'], ...more })));
      expect(lines.map(({ message, fields }) => [message, fields.class, fields.tags])).toEqual([
        ['start', shown, ['x']],
        ['own', shown, ['x']],
        ['done', shown, ['x']],
      ]);
    });

    test('its slot is short and unique among all that run', async () => {
      const gate = deferred();
      const { processor, running } = processorOf(() => gate.promise);
      const ended = [1, 2, 3].map(() => processor.process(new RecordingUnit(payload())));
      const slots = running.list().map((job) => job.slot);
      expect(new Set(slots).size).toBe(3);
      expect(slots.join(' ')).toMatch(/^[0-9a-z]{4} [0-9a-z]{4} [0-9a-z]{4}$/);
      gate.resolve();
      await Promise.all(ended);
    });
  });

  describe('a job that is told to stop', () => {
    /** Runs until its signal fires, then ends as it is told. */
    function running(atAbort: () => unknown, settings: WorkerOptions = {}, answer: Settlement = 'settled') {
      const worker = defineWorker('W', settings as object, async () => {
        const { signal } = currentJob();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return atAbort();
      });
      const parts = processorOf(worker);
      const unit = new RecordingUnit(payload(), 'default', answer);
      return { ...parts, unit, ended: parts.processor.process(unit) };
    }
    const throwReason = () => currentJob().signal.throwIfAborted();

    test('and throws goes back to its queue: that is no failure', async () => {
      const { running: list, unit, ended, stats } = running(throwReason);
      list.list()[0]?.abort(stopReason);
      await ended;
      expect(outcomeOf(unit)).toEqual({ kind: 'requeue' });
      expect(stats.take()).toEqual({ processed: 0, failed: 0 });
    });

    test('and returns all the same is done', async () => {
      const { running: list, unit, ended } = running(() => undefined);
      list.list()[0]?.abort(stopReason);
      await ended;
      expect(outcomeOf(unit)).toEqual({ kind: 'done' });
    });

    test('finds the reason also in a signal that it asks for only then', async () => {
      const gate = deferred();
      const seen: unknown[] = [];
      const { processor, running: list } = processorOf(async () => {
        await gate.promise;
        seen.push(currentJob().signal.aborted, currentJob().signal.reason);
      });
      const ended = processor.process(new RecordingUnit(payload()));
      list.list()[0]?.abort(stopReason);
      list.list()[0]?.abort(new TsqError('TSQ_CLAIM_LOST', 'later'));
      gate.resolve();
      await ended;
      expect(seen).toEqual([true, stopReason]);
    });

    test('because its claim is lost learns so, and its failure is not one of its job', async () => {
      const { unit, ended, processor, lines } = running(throwReason, { retry: 0 }, 'lost');
      unit.whenLost?.(new TsqError('TSQ_CLAIM_LOST', 'declared dead'));
      const { settlement } = await ended;
      expect(await settlement).toBe('lost');
      expect(outcomeOf(unit)).toEqual({ kind: 'requeue' });
      expect(processor.counts.lost).toBe(1);
      expect(lines.map((line) => line.fields.reason).filter(Boolean)).toEqual(['TSQ_CLAIM_LOST']);
    });
  });

  describe('settlement', () => {
    test('a refused outcome is logged with its job, and counted', async () => {
      const { processor, lines } = processorOf(() => undefined);
      const { settlement } = await processor.process(new RecordingUnit(payload(), 'default', 'lost'));
      expect(await settlement).toBe('lost');
      expect(processor.counts).toEqual({ ...noCounts, lost: 1 });
      expect(lines.at(-1)).toMatchObject({ level: 'warn', fields: { jid: 'j1', outcome: 'done' } });
    });

    test('one that rejects is unknown, logged and counted', async () => {
      const { processor, lines } = processorOf(() => undefined);
      const error = new TsqError('TSQ_REDIS_UNAVAILABLE', 'stopped');
      const { settlement } = await processor.process(new RecordingUnit(payload(), 'default', error));
      expect(await settlement).toBe('unknown');
      expect(processor.counts).toEqual({ ...noCounts, unknown: 1 });
      expect(lines.at(-1)).toMatchObject({ level: 'error', fields: { jid: 'j1', err: error } });
    });

    test('is not waited for', async () => {
      const never = new Promise<Settlement>(() => undefined);
      const { processor } = processorOf(() => undefined);
      const { outcome } = await processor.process(new RecordingUnit(payload(), 'default', never));
      expect(outcome.kind).toBe('done');
    });
  });

  describe('a timeout', () => {
    const options = { timeout: 0.02 };

    test('fires the signal with its reason, and the job fails by the ordinary path once perform has thrown', async () => {
      const seen: unknown[] = [];
      const worker = defineWorker('W', options, async () => {
        const { signal } = currentJob();
        await delay(60_000, undefined, { signal }).catch((error: unknown) => {
          seen.push(signal.reason);
          throw error;
        });
      });
      const { processor, stats } = processorOf(worker);
      const unit = new RecordingUnit(payload());
      await processor.process(unit);
      expect(seen).toMatchObject([{ code: 'TSQ_JOB_TIMEOUT' }]);
      expect(outcomeOf(unit).kind).toBe('retry');
      expect(fieldsOf(unit)).toMatchObject({
        error_class: 'TsqError',
        error_message: 'TSQ_JOB_TIMEOUT: W ran longer than its timeout of 0.02 s',
      });
      expect(stats.take()).toEqual({ processed: 1, failed: 1 });
    });

    test('what perform threw is the cause of the failure', async () => {
      const causes: unknown[] = [];
      const worker = defineWorker('W', options, async () => {
        await new Promise((resolve) => currentJob().signal.addEventListener('abort', resolve));
        throw new RangeError('half done');
      });
      const { processor } = processorOf(worker, {
        errorHandlers: [(_job, error) => void causes.push(error)],
      });
      await processor.process(new RecordingUnit(payload()));
      expect(causes).toMatchObject([{ code: 'TSQ_JOB_TIMEOUT', cause: { message: 'half done' } }]);
    });

    test('a perform that returns after it has failed too: whether its work is done, nobody can say', async () => {
      const worker = defineWorker('W', options, async () => {
        await new Promise((resolve) => currentJob().signal.addEventListener('abort', resolve));
      });
      const unit = new RecordingUnit(payload());
      await processorOf(worker).processor.process(unit);
      expect(outcomeOf(unit).kind).toBe('retry');
    });

    test.each<[string, () => void, string]>([
      ['returns', () => undefined, 'perform returned after'],
      ['throws', failWith(new Error('late')), 'perform threw after'],
    ])(
      'a perform that ignores the signal settles once, and that it %s later is only logged',
      async (_n, atEnd, line) => {
        const gate = deferred();
        const worker = defineWorker('W', options, async () => {
          await gate.promise;
          atEnd();
        });
        const { processor, stats, running, lines } = processorOf(worker, { timeoutGraceMs: 5 });
        const unit = new RecordingUnit(payload());
        await processor.process(unit);
        expect(outcomeOf(unit).kind).toBe('retry');
        expect(running.size).toBe(0);
        gate.resolve();
        await eventually(() => expect(lines.at(-1)?.message).toContain(line));
        expect(outcomeOf(unit).kind).toBe('retry');
        expect(stats.take()).toEqual({ processed: 1, failed: 1 });
      },
    );

    test('within its time a job is done, and no timer is left', async () => {
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      const before = timers();
      for (const perform of [
        () => undefined,
        failWith(new Error('x')),
        async () => failWith(new Error('x'))(),
      ]) {
        await processorOf(defineWorker('W', { timeout: 60 }, perform)).processor.process(
          new RecordingUnit(payload()),
        );
      }
      expect(timers()).toBe(before);
    });

    test('a stop that came first stays the reason', async () => {
      const worker = defineWorker('W', options, async () => {
        await new Promise(() => undefined);
      });
      const { processor, running } = processorOf(worker, { timeoutGraceMs: 5 });
      const unit = new RecordingUnit(payload());
      const ended = processor.process(unit);
      running.list()[0]?.abort(stopReason);
      await ended;
      expect(outcomeOf(unit)).toEqual({ kind: 'requeue' });
    });
  });

  describe('expires_in', () => {
    const nowMs = 1_795_466_562_000;
    const enqueuedAgo = (seconds: number) => ({
      expires_in: 60,
      enqueued_at: nowMs / 1_000 - seconds + 0.001,
    });

    /** Of a processor whose clock stands at `nowMs`. */
    function parts(options: WorkerOptions = {}, clock: Clock = { nowMs: async () => nowMs }) {
      const performed: string[] = [];
      const worker = defineWorker('W', options as object, () => performed.push(currentJob().jid));
      const logger = new RecordingLogger();
      const stats = new JobStats();
      const registry = new WorkerRegistry([worker]);
      const middleware = new MiddlewareChain<Job, void>();
      const rest = { running: new RunningJobs(), stats, logger, clock };
      const died: string[] = [];
      const settings: ProcessorSettings = {
        jobLog: 'failures',
        deathHandlers: [(job) => void died.push(job.jid)],
      };
      const processor = new Processor({ registry, middleware, ...rest }, settings);
      return { processor, performed, stats, died, lines: logger.lines };
    }

    test('over: the job is dropped without being run, counted, and named in the log', async () => {
      const { processor, performed, stats, died, lines } = parts();
      const unit = new RecordingUnit(payload(enqueuedAgo(61)));
      const { settlement } = await processor.process(unit);
      expect(await settlement).toBe('settled');
      expect(outcomeOf(unit)).toEqual({ kind: 'discarded' });
      expect(performed).toEqual([]);
      expect(processor.counts.expired).toBe(1);
      expect(stats.take()).toEqual({ processed: 1, failed: 0 });
      expect(died).toEqual([]);
      expect(lines).toEqual([
        {
          level: 'warn',
          message: 'expired: dropped without being run',
          fields: { jid: 'j1', class: 'W', queue: 'default', outcome: 'expired', expiredForSeconds: 0.999 },
        },
      ]);
    });

    test('not yet over: it runs', async () => {
      const { processor, performed } = parts();
      await processor.process(new RecordingUnit(payload(enqueuedAgo(59))));
      expect(performed).toEqual(['j1']);
    });

    test('of the worker counts for a job that has none', async () => {
      const { processor, performed } = parts({ expiresIn: 60 });
      const { expires_in: _, ...times } = enqueuedAgo(61);
      await processor.process(new RecordingUnit(payload({ jid: 'late', ...times })));
      await processor.process(new RecordingUnit(payload({ jid: 'own', ...times, expires_in: 90 })));
      expect(performed).toEqual(['own']);
    });

    test('over as far as this host can tell, when Redis does not say: it runs', async () => {
      const { processor, performed } = parts({}, { nowMs: () => undefined });
      await processor.process(new RecordingUnit(payload({ expires_in: 60, enqueued_at: 1.5 })));
      expect(performed).toEqual(['j1']);
    });

    test('over, of a class that it does not know: it is dropped all the same', async () => {
      const { processor } = parts();
      const unit = new RecordingUnit(payload({ class: 'Foreign', ...enqueuedAgo(61) }));
      await processor.process(unit);
      expect(outcomeOf(unit)).toEqual({ kind: 'discarded' });
    });
  });

  describe('log_level', () => {
    /** The messages that pino has written, at the level `info`. */
    async function written(more: object, options: WorkerOptions = {}): Promise<string[]> {
      const lines: string[] = [];
      const logger = pino(
        { level: 'info' },
        { write: (line: string) => void lines.push(JSON.parse(line).msg) },
      );
      const worker = defineWorker('W', options as object, () => {
        for (const level of ['debug', 'info', 'error'] as const) currentJob().logger[level]({}, level);
      });
      const parts = { registry: new WorkerRegistry([worker]), middleware: new MiddlewareChain<Job, void>() };
      const processor = new Processor({
        ...parts,
        running: new RunningJobs(),
        stats: new JobStats(),
        logger,
      });
      await processor.process(new RecordingUnit(payload(more)));
      return lines;
    }

    test.each<[string, object, WorkerOptions, string[]]>([
      ['none', {}, {}, ['start', 'info', 'error', 'done']],
      ['debug', { log_level: 'debug' }, {}, ['start', 'debug', 'info', 'error', 'done']],
      ['error', { log_level: 'error' }, {}, ['error']],
      ['fatal', { log_level: 'fatal' }, {}, []],
      ['debug, of the worker', {}, { logLevel: 'debug' }, ['start', 'debug', 'info', 'error', 'done']],
      ['its own over that of the worker', { log_level: 'error' }, { logLevel: 'debug' }, ['error']],
      ['one that is none', { log_level: 'loud' }, {}, ['start', 'info', 'error', 'done']],
    ])(
      '%s: the lines of the job and about it are those of its level',
      async (_name, more, options, lines) => {
        expect(await written(more, options)).toEqual(lines);
      },
    );
  });

  describe('failure handlers', () => {
    const error = new Error('boom');

    test('error handlers hear of every failure, death handlers of the last one, after its outcome is settled', async () => {
      const heard: unknown[] = [];
      const settings: ProcessorSettings = {
        errorHandlers: [(job, thrown, ending) => void heard.push(['error', job.jid, thrown, ending])],
        deathHandlers: [async (job, thrown, ending) => void heard.push(['death', job.jid, thrown, ending])],
      };
      const { processor } = processorOf(failWith(error), settings);
      await processor.process(new RecordingUnit(payload()));
      expect(heard.splice(0)).toEqual([['error', 'j1', error, 'retry']]);
      for (const [retry, ending] of [
        [0, 'dead'],
        [false, 'discarded'],
      ]) {
        await processor.process(new RecordingUnit(payload({ retry })));
        expect(heard.splice(0)).toEqual([
          ['error', 'j1', error, ending],
          ['death', 'j1', error, ending],
        ]);
      }
    });

    test('a job that another instance owns by now has not died', async () => {
      const heard: unknown[] = [];
      const { processor } = processorOf(failWith(error), { deathHandlers: [() => void heard.push('death')] });
      await processor.process(new RecordingUnit(payload({ retry: 0 }), 'default', 'lost'));
      expect(heard).toEqual([]);
    });

    test('one that hangs is waited for only for a while; a late failure of it is logged', async () => {
      const heard: unknown[] = [];
      const gate = deferred();
      const late = () => gate.promise.then(failWith(new Error('late')));
      const errorHandlers = [late, () => void heard.push(currentJob().jid)];
      const { processor, logger } = processorOf(failWith(error), { errorHandlers, hookTimeoutMs: 5 });
      await processor.process(new RecordingUnit(payload()));
      expect(heard).toEqual(['j1']);
      expect(logger.matching('error', 'A failure handler hangs')).toHaveLength(1);
      gate.resolve();
      await eventually(() => expect(logger.matching('error', 'A failure handler failed')).toHaveLength(1));
    });

    test('one that throws is logged, and neither the others nor the job notice', async () => {
      const heard: string[] = [];
      const settings: ProcessorSettings = {
        errorHandlers: [failWith(new Error('pager down')), async () => void heard.push('second')],
        deathHandlers: [async () => failWith(new Error('pager down'))(), () => void heard.push('third')],
      };
      const { processor, lines } = processorOf(failWith(error), settings);
      const unit = new RecordingUnit(payload({ retry: 0 }));
      await processor.process(unit);
      expect(heard).toEqual(['second', 'third']);
      expect(outcomeOf(unit).kind).toBe('dead');
      expect(lines.filter((line) => line.message === 'A failure handler failed')).toHaveLength(2);
    });
  });

  describe('the log', () => {
    const shown = (lines: RecordingLogger['lines']) =>
      lines.map(({ level, message, fields }) => [level, message, fields.outcome]);

    test('has a line at the start and one at the end of a job', async () => {
      const { processor, lines } = processorOf(() => undefined);
      await processor.process(new RecordingUnit(payload()));
      const common = { jid: 'j1', class: 'W', queue: 'default' };
      expect(lines).toEqual([
        { level: 'info', message: 'start', fields: common },
        {
          level: 'info',
          message: 'done',
          fields: { ...common, outcome: 'done', durationMs: expect.any(Number) },
        },
      ]);
    });

    test('says of a failure what becomes of the job', async () => {
      const error = new Error('boom');
      const { processor, lines } = processorOf(failWith(error), { jobLog: 'failures' });
      await processor.process(new RecordingUnit(payload()));
      await processor.process(new RecordingUnit(payload({ retry: 0 })));
      await processor.process(new RecordingUnit(payload({ retry: false })));
      expect(shown(lines)).toEqual([
        ['warn', 'fail', 'retry'],
        ['error', 'fail, for the last time', 'dead'],
        ['error', 'fail, for the last time', 'discarded'],
      ]);
      expect(lines[0]?.fields).toMatchObject({ err: error, attempt: 1, retryInSeconds: expect.any(Number) });
    });

    test.each<[string, () => unknown]>([
      ['a frozen error', () => Object.freeze(new Error('x'))],
      ['an error with a getter that throws', unreadableError],
    ])('that can not take %s still says so, and the job has its retry', async (_what, made) => {
      const written: string[] = [];
      const logger = pino({ level: 'info' }, { write: (line: string) => void written.push(line) });
      const running = new RunningJobs();
      const registry = new WorkerRegistry([defineWorker('W', failWith(made()))]);
      const parts = { registry, middleware: new MiddlewareChain<Job, void>(), stats: new JobStats() };
      const handler = failWith(made());
      const processor = new Processor({ ...parts, running, logger }, { errorHandlers: [handler] });
      const unit = new RecordingUnit(payload());
      const { outcome } = await processor.process(unit);
      expect(outcome.kind).toBe('retry');
      expect(outcomeOf(unit)).toBe(outcome);
      expect(running.size).toBe(0);
      const lines = written.map((line) => JSON.parse(line));
      expect(lines.find(({ msg }) => msg === 'fail')).toMatchObject({ err: 'Error: x', outcome: 'retry' });
      expect(lines.find(({ msg }) => msg === 'A failure handler failed')).toMatchObject({ err: 'Error: x' });
    });

    test('that is broken costs no job its outcome', async () => {
      const broken = failWith(new Error('the disk is full'));
      const logger = { debug: broken, info: broken, warn: broken, error: broken, child: () => logger };
      const running = new RunningJobs();
      const workers = [defineWorker('W', failWith(new Error('x'))), defineWorker('Good', () => undefined)];
      const registry = new WorkerRegistry(workers);
      const parts = { registry, middleware: new MiddlewareChain<Job, void>(), stats: new JobStats() };
      const processor = new Processor({ ...parts, running, logger });
      const kinds = [];
      for (const job of [payload(), payload({ class: 'Good' }), 'not a payload']) {
        kinds.push((await processor.process(new RecordingUnit(job))).outcome.kind);
      }
      expect(kinds).toEqual(['retry', 'done', 'dead']);
      expect(running.size).toBe(0);
    });

    test('tells what an error carries: its cause, and the errors of an AggregateError', async () => {
      const lines: string[] = [];
      const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
      const cause = new Error('connect ECONNREFUSED');
      const thrown = new AggregateError([new RangeError('first')], 'all failed', { cause });
      const registry = new WorkerRegistry([defineWorker('W', failWith(thrown))]);
      const parts = { registry, middleware: new MiddlewareChain<Job, void>(), stats: new JobStats() };
      const unit = new RecordingUnit(payload({ backtrace: true }));
      await new Processor({ ...parts, running: new RunningJobs(), logger }).process(unit);
      const { err } = JSON.parse(lines.find((line) => line.includes('"fail"')) ?? '{}');
      expect(err.message).toContain('connect ECONNREFUSED');
      expect(err.stack).toContain('caused by: Error: connect ECONNREFUSED');
      expect(err.aggregateErrors).toMatchObject([{ message: 'first' }]);
      expect(fieldsOf(unit).error_message).toBe(
        'all failed (RangeError: first); caused by Error: connect ECONNREFUSED',
      );
    });

    test('of what went well says nothing when it is switched off', async () => {
      const { processor, lines } = processorOf(() => undefined, { jobLog: 'failures' });
      await processor.process(new RecordingUnit(payload()));
      expect(lines).toEqual([]);
    });

    test('puts no line together that the logger would throw away', async () => {
      const quiet = Object.assign(new RecordingLogger(), { isLevelEnabled: () => false });
      const parts = {
        registry: new WorkerRegistry([defineWorker('W', () => undefined)]),
        middleware: new MiddlewareChain<Job, void>(),
        running: new RunningJobs(),
        stats: new JobStats(),
      };
      await new Processor({ ...parts, logger: quiet }).process(new RecordingUnit(payload()));
      expect(quiet.lines).toEqual([]);
    });
  });

  test('S1: a fault of the runtime sends the job to the dead set with its bytes, and off the list of what runs', async () => {
    const running = new RunningJobs();
    const logger = new RecordingLogger();
    const stats = Object.assign(new JobStats(), { count: failWith(new Error('a bug')) });
    const registry = new WorkerRegistry([defineWorker('W', () => undefined)]);
    const processor = new Processor({ registry, middleware: new MiddlewareChain(), running, stats, logger });
    const unit = new RecordingUnit(payload());
    const { outcome, settlement } = await processor.process(unit);
    expect(outcome).toEqual({ kind: 'dead', bytes: unit.bytes });
    expect(outcomeOf(unit)).toBe(outcome);
    expect(await settlement).toBe('settled');
    expect(running.size).toBe(0);
    expect(logger.matching('error', 'A fault of the runtime')).toHaveLength(1);
  });
});

function deferred() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
