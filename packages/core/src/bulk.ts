/**
 * Many jobs of one worker. All are checked before the first is sent; then batches go one after the other, so that Redis is
 * never held up for long, and a failure says which jobs are there already.
 */
import type { ClientJob } from './client-middleware.js';
import { EnqueueError, type PushFailure } from './enqueue-error.js';
import type { EnqueueOptions } from './enqueue-options.js';
import { TsqError } from './errors.js';
import { checkJob, checkJobArgs, dueAtSeconds, invalid } from './job-item.js';
import type { JobSender } from './job-sender.js';
import type { WorkerDefinition } from './worker-contract.js';

export interface BulkOptions {
  /** Jobs for one round trip, from 1 on. Default 1000. */
  readonly batchSize?: number;
  /** A time for each job, as many as there are jobs: a Date, or seconds since the epoch. */
  readonly at?: readonly (Date | number)[];
}

const defaultBatchSize = 1_000;

/** One `enqueueBulk`, run once. */
export class Bulk {
  private readonly results: (string | undefined)[] = [];
  /** Jids that Redis confirmed. */
  private readonly pushed: string[] = [];

  constructor(
    private readonly sender: JobSender,
    private readonly definition: WorkerDefinition,
    private readonly options: EnqueueOptions,
    private readonly argsList: readonly (readonly unknown[])[],
    private readonly bulk: BulkOptions,
  ) {}

  /** @returns one entry for each job, in order: its jid, or undefined when a middleware dropped it */
  async send(): Promise<(string | undefined)[]> {
    this.check();
    const timeOf = this.times();
    const { batchSize = defaultBatchSize } = this.bulk;
    for (let start = 0; start < this.argsList.length; start += batchSize) {
      try {
        await this.sendBatch(start, Math.min(start + batchSize, this.argsList.length), timeOf);
      } catch (error) {
        throw this.stopped(error);
      }
    }
    return this.results;
  }

  private check(): void {
    const { argsList, bulk, definition, options } = this;
    if (!Array.isArray(argsList))
      throw invalid('args of a bulk', 'an array with the args of each job', argsList);
    const { batchSize = defaultBatchSize } = bulk;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
      throw invalid('batchSize of a bulk', 'an integer from 1 on', batchSize);
    }
    if (options.jid !== undefined && argsList.length > 1) {
      throw invalid('jid of a bulk', `none, for its ${argsList.length} jobs can not share one`, options.jid);
    }
    checkJob(this.sender.make(definition, options, [], undefined));
    argsList.forEach((args, index) => {
      checkArgsOf(definition, args, index);
    });
  }

  /** When a job is due, by its index. */
  private times(): (index: number) => number | undefined {
    const { at } = this.bulk;
    if (at === undefined) {
      const atSeconds = this.options.at === undefined ? undefined : dueAtSeconds(this.options.at);
      return () => atSeconds;
    }
    if (!Array.isArray(at) || at.length !== this.argsList.length) {
      throw invalid('at of a bulk', `an array of ${this.argsList.length} times, one for each job`, at);
    }
    const times = at.map(dueAtSeconds);
    return (index) => times[index];
  }

  /** One pipeline, each job to the queue that the middleware left it with. */
  private async sendBatch(start: number, end: number, timeOf: (index: number) => number | undefined) {
    const admitted: ClientJob[] = [];
    for (let index = start; index < end; index += 1) {
      const args = this.argsList[index] ?? [];
      const job = this.sender.make(this.definition, this.options, args, timeOf(index));
      const isAdmitted = !this.sender.hasMiddleware || (await this.isAdmitted(job));
      if (isAdmitted) admitted.push(job);
      this.results.push(isAdmitted ? job.jid : undefined);
    }
    const groups = admitted.map((job) => this.sender.push(job));
    const failures = new Map<Promise<PushFailure | undefined>, PushFailure | undefined>();
    for (const group of new Set(groups)) failures.set(group, await group);
    this.sum(
      admitted,
      groups.map((group) => failures.get(group)),
    );
  }

  /** Without middleware nothing has changed since the check of the whole. */
  private async isAdmitted(job: ClientJob): Promise<boolean> {
    if (!(await this.sender.passesMiddleware(job))) return false;
    this.sender.check(this.definition, job);
    return true;
  }

  private sum(jobs: readonly ClientJob[], outcomes: readonly (PushFailure | undefined)[]): void {
    const unsure: string[] = [];
    let worst: PushFailure | undefined;
    jobs.forEach(({ jid }, index) => {
      const failure = outcomes[index];
      if (failure === undefined) this.pushed.push(jid);
      else if (failure.outcome === 'unknown') unsure.push(jid);
      if (worst === undefined || failure?.outcome === 'unknown') worst = failure ?? worst;
    });
    if (worst !== undefined) throw new EnqueueError(worst, this.pushed, unsure);
  }

  /** The same error, with what is there already. */
  private stopped(error: unknown): unknown {
    const known = error instanceof TsqError;
    if (this.pushed.length === 0 && known) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new EnqueueError(
      {
        code: known ? error.code : 'TSQ_BULK_STOPPED',
        outcome: error instanceof EnqueueError ? error.outcome : 'not-pushed',
        message: `${message}; ${this.pushed.length} of ${this.argsList.length} jobs of the bulk were pushed before`,
        cause: error,
      },
      this.pushed,
      error instanceof EnqueueError ? error.unsure : [],
    );
  }
}

function checkArgsOf(definition: WorkerDefinition, args: unknown, index: number): void {
  try {
    checkJobArgs(definition, args);
  } catch (error) {
    if (!(error instanceof TsqError)) throw error;
    throw new TsqError(error.code, `job ${index} of the bulk: ${error.message}`, { cause: error });
  }
}
