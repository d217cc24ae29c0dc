import { describe, expect, test } from '@jest/globals';
import { cancelJob, type Job, MiddlewareChain, openConnection } from '@tsq/core';
import { eventually, itIsAComponent, RecordingLogger, useRedis } from '@tsq/core/test-support';
import { Cancellations } from './cancellations.js';
import { currentJob } from './current-job.js';
import { defineWorker } from './define-worker.js';
import { JobStats } from './job-stats.js';
import { Processor } from './processor.js';
import { RunningJobs } from './running-jobs.js';
import { RecordingUnit } from './test-support/recording-unit.js';
import { WorkerRegistry } from './worker-registry.js';

describe('Cancellations', () => {
  const redis = useRedis();

  /** A processor with one worker, `W`, and what cancels its jobs. */
  async function started(perform: (job: Job) => unknown) {
    const connection = openConnection({ url: redis.url }, { name: 'test' });
    const logger = new RecordingLogger();
    const running = new RunningJobs();
    const stats = new JobStats();
    const cancellations = new Cancellations({ redis: connection, running, logger }, { intervalMs: 20 });
    const registry = new WorkerRegistry([defineWorker('W', () => perform(currentJob()))]);
    const middleware = new MiddlewareChain<Job, void>();
    const processor = new Processor({ registry, middleware, running, stats, cancellations, logger });
    await cancellations.start();
    const process = (jid: string) => {
      const unit = new RecordingUnit({ class: 'W', args: [], jid });
      return { unit, ended: processor.process(unit) };
    };
    const stop = async () => {
      await cancellations.stop(AbortSignal.abort());
      connection.disconnect();
    };
    return { cancellations, processor, process, running, stats, logger, [Symbol.asyncDispose]: stop };
  }

  const untilAborted = ({ signal }: Job) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

  describe('as a component', () => {
    itIsAComponent(() => {
      const connection = openConnection({ url: redis.url }, { name: 'test' });
      connection.disconnect();
      return new Cancellations({ redis: connection, running: new RunningJobs() });
    });
  });

  test('a running job hears of its cancellation, ends without a retry, and nothing is left of it', async () => {
    const reasons: unknown[] = [];
    await using it = await started((job) => {
      job.signal.addEventListener('abort', () => reasons.push(job.signal.reason));
      return untilAborted(job);
    });
    const admin = redis.connect();
    const { unit, ended } = it.process('j1');
    await cancelJob(admin, 'j1');
    await ended;
    expect(reasons).toEqual([expect.objectContaining({ code: 'TSQ_JOB_CANCELLED' })]);
    expect(unit.outcomes).toEqual([{ kind: 'discarded' }]);
    expect([it.processor.counts.cancelled, it.running.size, it.stats.take()]).toEqual([
      ...[1, 0],
      { processed: 1, failed: 0 },
    ]);
    expect(it.logger.matching('warn', 'cancelled')).toHaveLength(1);
    await eventually(async () => expect(await admin.keys('*')).toEqual([]));
  });

  test('of several running jobs only the cancelled one hears of it', async () => {
    await using it = await started(untilAborted);
    const [kept, cancelled] = [it.process('j1'), it.process('j2')];
    await cancelJob(redis.connect(), 'j2');
    await cancelled.ended;
    expect(kept.unit.outcomes).toEqual([]);
    await cancelJob(redis.connect(), 'j1');
    await kept.ended;
  });

  test('a job that ends well all the same is done, and its cancellation is used up', async () => {
    await using it = await started(async ({ signal }) => {
      await eventually(() => expect(signal.aborted).toBe(true));
    });
    const admin = redis.connect();
    const { unit, ended } = it.process('j1');
    await cancelJob(admin, 'j1');
    await ended;
    expect(unit.outcomes).toEqual([{ kind: 'done' }]);
    await eventually(async () => expect(await admin.keys('*')).toEqual([]));
  });

  test('an idle process asks nothing', async () => {
    await using it = await started(untilAborted);
    const admin = redis.connect();
    await admin.config('RESETSTAT');
    const { ended } = it.process('j1');
    await cancelJob(admin, 'j1');
    await ended;
    const asked = async () => /cmdstat_zmscore:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1];
    const before = await asked();
    // So many rounds of the event loop that its timer has come by again and again.
    for (let round = 0; round < 300; round += 1) await admin.ping();
    await eventually(async () => expect(await asked()).toBe(before));
    expect(Number(before)).toBeGreaterThan(0);
  });

  test('a Redis that refuses to say is told of once, and the jobs run on', async () => {
    await using it = await started(untilAborted);
    const admin = redis.connect();
    await admin.set('tsq:cancelled', 'no sorted set');
    const { unit, ended } = it.process('j1');
    await eventually(() =>
      expect(it.logger.matching('error', "Can't look for cancelled jobs")).toHaveLength(1),
    );
    expect(unit.outcomes).toEqual([]);
    await admin.del('tsq:cancelled');
    await cancelJob(admin, 'j1');
    await ended;
    expect(it.logger.matching('error', '')).toHaveLength(1);
  });
});
