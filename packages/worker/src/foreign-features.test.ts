import { describe, expect, test } from '@jest/globals';
import { type Job, MiddlewareChain, TsqError } from '@tsq/core';
import { RecordingLogger } from '@tsq/core/test-support';
import { defineWorker } from './define-worker.js';
import { JobStats } from './job-stats.js';
import { Processor } from './processor.js';
import type { ProcessorSettings } from './processor-settings.js';
import { RunningJobs } from './running-jobs.js';
import { RecordingUnit } from './test-support/recording-unit.js';
import { WorkerRegistry } from './worker-registry.js';

const plain =
  '{"args":[1.0, 12345678901234567890],"class":"W","jid":"j1","queue":"q","retry":false,"retry_count":2';

async function process(text: string, settings: ProcessorSettings = {}, perform = () => undefined) {
  const logger = new RecordingLogger();
  const stats = new JobStats();
  const running = new RunningJobs();
  let runs = 0;
  const worker = defineWorker('W', () => {
    runs += 1;
    return perform();
  });
  const middleware = new MiddlewareChain<Job, void>();
  const registry = new WorkerRegistry([worker]);
  const processor = new Processor({ registry, middleware, running, stats, logger }, settings);
  const unit = new RecordingUnit(text);
  await processor.process(unit);
  return {
    unit,
    runs,
    logger,
    refused: processor.counts.refused,
    stats: stats.take(),
    running: running.size,
  };
}

describe('jobs of Pro and Enterprise', () => {
  test.each(['"bid":"NqyqZ7xCKXUzBw"', '"encrypt":true', '"unique_for":600', '"unique_for":0', '"bid":""'])(
    'a job with %s is refused: not run, not counted as a failure, and not dropped for its retry: false',
    async (field) => {
      const { unit, runs, refused, stats, running } = await process(`${plain},${field}}`);
      expect([runs, running, refused, stats]).toEqual([0, 0, 1, { processed: 0, failed: 0 }]);
      expect(unit.outcomes).toEqual([
        { kind: 'retry', bytes: expect.any(Buffer), delaySeconds: expect.any(Number) },
      ]);
    },
  );

  test('S5: a refused job keeps all its bytes, its retry count too, and says why it waits', async () => {
    const { unit, logger } = await process(`${plain},"bid":"B1"}`);
    const [outcome] = unit.outcomes;
    if (outcome?.kind !== 'retry') throw new Error(`expected a retry, got ${outcome?.kind}`);
    const text = outcome.bytes.toString();
    expect(
      text.startsWith(`${plain.replace('"queue":"q"', `"queue":${JSON.stringify(unit.queue)}`)},"bid":"B1",`),
    ).toBe(true);
    expect(JSON.parse(text)).toMatchObject({
      error_class: 'TsqError',
      error_message: expect.stringMatching(/^TSQ_JOB_REFUSED: .*"bid".*batch/),
    });
    expect(outcome.delaySeconds).toBeGreaterThanOrEqual(60);
    expect(outcome.delaySeconds).toBeLessThan(90);
    expect(logger.matching('warn', 'refused')).toHaveLength(1);
  });

  test("a job that has not failed before gets a failed_at, without which Sidekiq's page of it fails, and no other does", async () => {
    const failedAt = (text: string) => /"failed_at":([\d.]+)/.exec(text)?.[1];
    const { unit: first } = await process('{"class":"W","args":[],"bid":"B1"}');
    const { unit: again } = await process(
      '{"class":"W","args":[],"bid":"B1","failed_at":1.5,"retry_count":0}',
    );
    const bytesOf = ({ outcomes: [outcome] }: RecordingUnit) =>
      outcome?.kind === 'retry' ? outcome.bytes : '';
    expect(Number(failedAt(bytesOf(first).toString()))).toBeGreaterThan(1e9);
    expect(failedAt(bytesOf(again).toString())).toBe('1.5');
  });

  test('it is refused though this process does not know its class: a batch must not see a failure', async () => {
    const { refused } = await process('{"class":"Unknown","args":[],"bid":"B1"}');
    expect(refused).toBe(1);
  });

  test.each(['"bid":null', '"encrypt":false', '"unique_for":false', '"other":1', '"args":[{"bid":1}]'])(
    'a job with %s runs',
    async (field) => {
      const { unit, runs } = await process(`{"class":"W","args":[],${field}}`);
      expect([runs, unit.outcomes]).toEqual([1, [{ kind: 'done' }]]);
    },
  );

  test('told to run them, it does', async () => {
    const { unit, runs } = await process(`${plain},"bid":"B1","encrypt":true}`, { foreignFeatures: 'run' });
    expect([runs, unit.outcomes]).toEqual([1, [{ kind: 'done' }]]);
  });

  test('a worker that throws the same code has failed', async () => {
    const { stats, refused } = await process(`${plain}}`, {}, () => {
      throw new TsqError('TSQ_JOB_REFUSED', 'says the worker');
    });
    expect([stats, refused]).toEqual([{ processed: 1, failed: 1 }, 0]);
  });
});
