/**
 * Runs jobs that iterate in the runtime: their state is in Redis, and an interrupted one is told to the Processor, which puts
 * it back. The state goes only when Redis has confirmed that the job is done: a process that is killed in between finds the
 * end of the walk, not its beginning.
 */
import { type Job, type Logger, silentLogger, Trouble, TsqError } from '@tsq/core';
import type { Redis } from 'ioredis';
import type { AnyIterationSteps } from './iterable-worker.js';
import { unstored } from './iterate-at-once.js';
import { type Interruption, Iteration } from './iteration.js';
import { StoredIteration } from './stored-iteration.js';

export interface IterationRunnerOptions {
  /** Not closed by it. */
  readonly redis: Redis;
  readonly logger?: Logger;
  /** Between two times that a cursor is stored. Default 5000. */
  readonly storeEachMs?: number;
  /** Seconds after which a run makes room for others, where its worker says nothing. Default: never. */
  readonly maxIterationRuntime?: number | undefined;
}

/** What a run tells to who runs the job. */
export interface IterableJob extends Job {
  interruption?: Interruption | undefined;
  whenDone?: (() => void) | undefined;
}

export class IterationRunner {
  private readonly trouble: Trouble;

  constructor(private readonly options: IterationRunnerOptions) {
    this.trouble = new Trouble(options.logger ?? silentLogger, "Can't store where iterable jobs stand");
  }

  /** @throws TSQ_JOB_INTERRUPTED, after `job.interruption` was set; what the steps throw */
  async run(job: IterableJob, steps: AnyIterationSteps, args: readonly unknown[]): Promise<void> {
    if (job.jid === '') return await this.runUnstored(job, steps, args);
    const { redis, storeEachMs = 5_000 } = this.options;
    const seconds = job.options.maxIterationRuntime ?? this.options.maxIterationRuntime;
    const limits = { storeEachMs, maxRuntimeMs: seconds === undefined ? undefined : seconds * 1_000 };
    const state = new StoredIteration(redis, job.jid, this.trouble);
    const end = await new Iteration(steps, args, job, state, limits).run();
    if (end === 'completed' || end === 'cancelled') {
      job.whenDone = () => void this.remove(job, state);
      return;
    }
    job.interruption = end;
    const why = end === 'stopping' ? 'the process takes no new jobs' : 'its maxIterationRuntime is over';
    throw new TsqError('TSQ_JOB_INTERRUPTED', `${job.class} goes on later: ${why}`);
  }

  /** Without a jid nothing could be found again, so nothing may interrupt it. */
  private async runUnstored(job: Job, steps: AnyIterationSteps, args: readonly unknown[]): Promise<void> {
    job.logger.warn(
      {},
      'a job without a jid can not store where it stands; it begins anew when it is interrupted',
    );
    const { signal, logger } = job;
    await new Iteration(
      steps,
      args,
      { signal, stopping: new AbortController().signal, logger },
      unstored(),
    ).run();
    signal.throwIfAborted();
  }

  private async remove(job: Job, state: StoredIteration): Promise<void> {
    try {
      await state.remove();
    } catch (error) {
      job.logger.warn(
        { err: error },
        'the state of an iterable job that is done could not be deleted; it expires',
      );
    }
  }
}
