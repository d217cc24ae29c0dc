import { describe, expect, test } from '@jest/globals';
import { type FunctionWorker, type Job, MiddlewareChain, type Outcome, TsqError } from '@tsq/core';
import { eventually, RecordingLogger } from '@tsq/core/test-support';
import { currentJob } from './current-job.js';
import { defineWorker, type FunctionWorkerSettings } from './define-worker.js';
import { JobStats } from './job-stats.js';
import { Processor } from './processor.js';
import type { ProcessorSettings } from './processor-settings.js';
import { RunningJobs } from './running-jobs.js';
import { RecordingUnit } from './test-support/recording-unit.js';
import { WorkerRegistry } from './worker-registry.js';

type Options = Omit<FunctionWorkerSettings, 'args'>;

const error = new RangeError('no');

function processorOf(worker: FunctionWorker, settings: ProcessorSettings = {}) {
  const running = new RunningJobs();
  const logger = new RecordingLogger();
  const parts = { registry: new WorkerRegistry([worker]), stats: new JobStats(), running, logger };
  const middleware = new MiddlewareChain<Job, void>();
  const retry = { random: () => 0 };
  return { processor: new Processor({ ...parts, middleware }, { retry, ...settings }), running, logger };
}

/** One run, which fails, of a worker with these hooks. */
async function failedRun(options: Options, payload: object = {}, settings?: ProcessorSettings) {
  const worker = defineWorker('W', options, () => {
    throw error;
  });
  const { processor, logger } = processorOf(worker, settings);
  const unit = new RecordingUnit({ class: 'W', args: [1], jid: 'j1', retry: true, ...payload });
  const { outcome } = await processor.process(unit);
  expect(unit.outcomes).toEqual([outcome]);
  return { outcome, logger };
}

async function outcomeOf(options: Options, payload?: object): Promise<Outcome> {
  return (await failedRun(options, payload)).outcome;
}

const hang = () => new Promise<never>(() => undefined);
const delayOf = (outcome: Outcome) => (outcome.kind === 'retry' ? outcome.delaySeconds : outcome.kind);
/** Of Sidekiq's formula, after the first failure. */
const defaultSeconds = 15;

describe('retryIn', () => {
  test('gets the count of the retries before it, the error and the job', async () => {
    const seen: unknown[] = [];
    const retryIn = (count: number, thrown: unknown, job: Job) => {
      seen.push(count, thrown, job.jid, job.args, currentJob() === job);
      return 'default' as const;
    };
    await outcomeOf({ retryIn });
    await outcomeOf({ retryIn }, { retry_count: 4 });
    expect(seen).toEqual([0, error, 'j1', [1], true, 5, error, 'j1', [1], true]);
  });

  test.each<[string, unknown, number | string]>([
    ['seconds', 60, 60],
    ['a fraction', 0.5, 0.5],
    ['a promise', Promise.resolve(60), 60],
    ["'default'", 'default', defaultSeconds],
    ['nothing', undefined, defaultSeconds],
    ["'kill'", 'kill', 'dead'],
    ["'discard'", 'discard', 'discarded'],
    ["a promise of 'kill'", Promise.resolve('kill'), 'dead'],
  ])('may say %s, quietly', async (_name, answer, expected) => {
    const { outcome, logger } = await failedRun({ retryIn: () => answer as number });
    expect(delayOf(outcome)).toBe(expected);
    expect(logger.lines.filter((line) => 'hook' in line.fields)).toEqual([]);
  });

  test('the jitter of the formula comes on top of its seconds, as in Sidekiq', async () => {
    const settings = { retry: { random: () => 0.99 } };
    const { outcome } = await failedRun({ retryIn: () => 60 }, { retry_count: 2 }, settings);
    expect(delayOf(outcome)).toBe(60 + 39);
  });

  test.each<[string, unknown, string]>([
    ['0', 0, 'number 0'],
    ['less than 0', -5, 'number -5'],
    ['NaN', Number.NaN, 'number NaN'],
    ['Infinity', Number.POSITIVE_INFINITY, 'number Infinity'],
    ['milliseconds since the epoch', Date.now(), 'number 1'],
    ['text', '60', 'string "60"'],
    ['another word', 'dead', 'string "dead"'],
    ['a BigInt', 60n, 'bigint 60n'],
    ['null', null, 'null'],
    ['an object', {}, 'an object'],
  ])('who says %s gets the default, and a warning', async (_name, answer, shown) => {
    const { outcome, logger } = await failedRun({ retryIn: () => answer as number });
    expect(delayOf(outcome)).toBe(defaultSeconds);
    const [warning] = logger.matching('warn', 'retryIn of the worker: expected seconds');
    expect(warning).toContain(`got ${shown}`);
  });

  test.each<[string, () => never | Promise<never>]>([
    [
      'throws',
      () => {
        throw new Error('hook');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('hook'))],
  ])('who %s gets the default, and the entry tells of the job, not of the hook', async (_name, retryIn) => {
    const { outcome, logger } = await failedRun({ retryIn });
    expect(delayOf(outcome)).toBe(defaultSeconds);
    const text = 'bytes' in outcome ? outcome.bytes.toString() : '';
    expect(text).toContain('"error_message":"no","error_class":"RangeError"');
    expect(logger.matching('error', 'retryIn of the worker failed')).toHaveLength(1);
  });

  test('who does not answer in time gets the default; a late failure is only logged', async () => {
    let fail: (reason: Error) => void = () => undefined;
    const retryIn = () =>
      new Promise<never>((_, reject) => {
        fail = reject;
      });
    const { outcome, logger } = await failedRun(
      { retryIn },
      {},
      { hookTimeoutMs: 5, retry: { random: () => 0 } },
    );
    expect(delayOf(outcome)).toBe(defaultSeconds);
    expect(logger.matching('error', 'has not answered within 5 ms')).toHaveLength(1);
    fail(new Error('late'));
    await eventually(() => expect(logger.matching('warn', 'failed too late')).toHaveLength(1));
  });

  test.each<[string, Options, object]>([
    ['the retries are exhausted', {}, { retry: 0 }],
    ['there are none', {}, { retry: false }],
  ])('is not asked when %s', async (_name, options, payload) => {
    const asked: string[] = [];
    const retryIn = () => {
      asked.push('retryIn');
      return 1;
    };
    await outcomeOf({ ...options, retryIn }, payload);
    expect(asked).toEqual([]);
  });
});

describe('retriesExhausted', () => {
  test.each<[string, Options, object, string]>([
    ['the last retry failed', {}, { retry: 0 }, 'dead'],
    ["retryIn said 'kill'", { retryIn: () => 'kill' }, {}, 'dead'],
    ['the job is not to go to the dead set', {}, { retry: 0, dead: false }, 'discarded'],
  ])('is called once, with job and error, when %s', async (_name, options, payload, kind) => {
    const seen: unknown[] = [];
    const retriesExhausted = (job: Job, thrown: unknown) => seen.push(job.jid, thrown, currentJob() === job);
    expect((await outcomeOf({ ...options, retriesExhausted }, payload)).kind).toBe(kind);
    expect(seen).toEqual(['j1', error, true]);
  });

  test.each<[string, Options, object]>([
    ['a retry is left', {}, {}],
    ['retryIn discards', { retryIn: () => 'discard' }, {}],
    ['the job wants no retry, as in Sidekiq', {}, { retry: false }],
  ])('is not called when %s', async (_name, options, payload) => {
    const called: string[] = [];
    await outcomeOf({ ...options, retriesExhausted: () => called.push('x') }, payload);
    expect(called).toEqual([]);
  });

  test.each<[string, () => unknown, string]>([
    ["'discard'", () => 'discard', 'discarded'],
    ["a promise of 'discard'", async () => 'discard', 'discarded'],
    ['anything else', () => 'kill', 'dead'],
    ['nothing', () => undefined, 'dead'],
    ['an exception', () => Promise.reject(new Error('hook')), 'dead'],
  ])('with %s the job ends so', async (_name, retriesExhausted, kind) => {
    expect((await outcomeOf({ retriesExhausted }, { retry: 0 })).kind).toBe(kind);
  });

  test('who hangs keeps the job from the dead set only for a while', async () => {
    const { outcome, logger } = await failedRun(
      { retriesExhausted: hang },
      { retry: 0 },
      { hookTimeoutMs: 5 },
    );
    expect(outcome.kind).toBe('dead');
    expect(logger.matching('error', 'retriesExhausted of the worker has not answered')).toHaveLength(1);
  });

  test('comes before the outcome is handed over, and death handlers after it is confirmed', async () => {
    const order: string[] = [];
    const worker = defineWorker('W', { retriesExhausted: async () => order.push('exhausted') }, () => {
      throw error;
    });
    const deathHandlers = [() => void order.push('death handler')];
    const { processor } = processorOf(worker, { deathHandlers });
    const unit = new RecordingUnit({ class: 'W', args: [], retry: 0 });
    const settle = unit.settle.bind(unit);
    unit.settle = async (outcome) => {
      order.push(outcome.kind);
      return await settle(outcome);
    };
    await processor.process(unit);
    expect(order).toEqual(['exhausted', 'dead', 'death handler']);
  });

  test('a job that is discarded, by a hook or by retry: false, has died: its death handlers run', async () => {
    const died: unknown[] = [];
    const deathHandlers = [(job: Job) => void died.push(job.jid)];
    for (const options of [
      { retryIn: () => 'discard' as const },
      { retriesExhausted: () => 'discard' },
      {},
    ]) {
      const payload = 'retryIn' in options ? {} : { retry: 'retriesExhausted' in options ? 0 : false };
      await failedRun(options, payload, { deathHandlers });
    }
    expect(died).toEqual(['j1', 'j1', 'j1']);
  });
});

describe('a job that is taken away while its hook is asked', () => {
  test.each(['TSQ_JOB_STOPPED', 'TSQ_CLAIM_LOST'] as const)(
    '(%s) goes back as it is, and nobody is told that it died',
    async (code) => {
      const died: string[] = [];
      const asked: string[] = [];
      const retriesExhausted = () => {
        asked.push('exhausted');
        return hang();
      };
      const worker = defineWorker('W', { retriesExhausted }, () => {
        throw error;
      });
      const { processor, running } = processorOf(worker, { deathHandlers: [() => void died.push('died')] });
      const unit = new RecordingUnit({ class: 'W', args: [], retry: 0 });
      const ended = processor.process(unit);
      await eventually(() => expect(asked).toHaveLength(1));
      running.list()[0]?.abort(new TsqError(code, 'away'));
      expect((await ended).outcome).toEqual({ kind: 'requeue' });
      expect(unit.outcomes).toEqual([{ kind: 'requeue' }]);
      expect(died).toEqual([]);
    },
  );

  test('also when its timeout came first', async () => {
    const worker = defineWorker('W', { timeout: 0.005, retriesExhausted: hang }, () => hang());
    const { processor, running, logger } = processorOf(worker, { timeoutGraceMs: 1 });
    const unit = new RecordingUnit({ class: 'W', args: [], retry: 0 });
    const ended = processor.process(unit);
    const [job] = running.list();
    await eventually(() => expect(logger.matching('error', 'does not heed')).toHaveLength(1));
    job?.abort(new TsqError('TSQ_JOB_STOPPED', 'stop'));
    expect((await ended).outcome).toEqual({ kind: 'requeue' });
  });
});
