/**
 * Takes one claimed job from its bytes to its outcome.
 *
 * Steps throw and never write. One place turns what they throw into an Outcome and one call hands it over, so no crash
 * point lies between "it failed" and "its retry is recorded". A new step is a new line in `run`. Bytes that can't be
 * read run nothing: they go to the dead set as they are. The outcome is handed over before anything is logged about it,
 * and a fault in here sends the job to the dead set too: while the process lives nobody else would look at its claim.
 */
import {
  type Job,
  type Logger,
  type MiddlewareChain,
  type Outcome,
  Payload,
  type Settlement,
  silentLogger,
  timestampJson,
  type UnitOfWork,
} from '@tsq/core';
import { jobStorage } from './current-job.js';
import { callHandlers, type FailureHandler } from './failure-handlers.js';
import type { Interruption } from './iteration.js';
import { RunningJobContext } from './job-context.js';
import { JobLog, type JobLogLevel } from './job-log.js';
import type { JobMetrics } from './job-metrics.js';
import type { JobProcessor, ProcessedJob } from './job-processor.js';
import { JobRetry, type JobRetrySettings } from './job-retry.js';
import type { JobStats } from './job-stats.js';
import { JobTimeout } from './job-timeout.js';
import { logSafely, logThrown } from './log-thrown.js';
import type { RunningJobs } from './running-jobs.js';
import type { WorkerRegistry } from './worker-registry.js';

export interface ProcessorParts {
  readonly registry: WorkerRegistry;
  readonly middleware: MiddlewareChain<Job, void>;
  readonly running: RunningJobs;
  readonly stats: JobStats;
  readonly metrics?: JobMetrics | undefined;
  readonly logger?: Logger;
}

export interface ProcessorSettings {
  /** `maxRetries`, `dialect`, ...: see JobRetrySettings. */
  readonly retry?: Partial<JobRetrySettings>;
  /** Between a timeout's signal and giving up on a `perform` that does not heed it. Default 5000. */
  readonly timeoutGraceMs?: number;
  /** Default `all`: a line at the start and one at the end of each job. */
  readonly jobLog?: JobLogLevel;
  /** How integers beyond 2^53 arrive in `args`. Default `bigint`. */
  readonly bigIntegers?: 'bigint' | 'string';
  /** Called for every failure, once its outcome was handed over. */
  readonly errorHandlers?: readonly FailureHandler[];
  /** Called for a job that will not be retried, dead or discarded, once Redis has confirmed it. */
  readonly deathHandlers?: readonly FailureHandler[];
}

/** What went otherwise than planned, since the start. */
export interface ProcessorCounts {
  /** Bytes that could not be read: in the dead set. */
  readonly unreadable: number;
  /** Another instance owned the job by the time it ended here. */
  readonly lost: number;
  /** It is not known whether Redis heard of the outcome. */
  readonly unknown: number;
}

const done: Outcome = { kind: 'done' };
const requeue: Outcome = { kind: 'requeue' };

export class Processor implements JobProcessor {
  private readonly logger: Logger;
  private readonly jobLog: JobLog;
  private readonly jobRetry: JobRetry;
  private readonly jobTimeout: JobTimeout;
  private readonly tally = { unreadable: 0, lost: 0, unknown: 0 };

  constructor(
    private readonly parts: ProcessorParts,
    private readonly settings: ProcessorSettings = {},
  ) {
    this.logger = parts.logger ?? silentLogger;
    this.jobLog = new JobLog(this.logger, settings.jobLog ?? 'all');
    this.jobRetry = new JobRetry(settings.retry);
    this.jobTimeout = new JobTimeout(settings.timeoutGraceMs ?? 5_000);
  }

  get counts(): ProcessorCounts {
    return { ...this.tally };
  }

  async process(unit: UnitOfWork): Promise<ProcessedJob> {
    let job: RunningJobContext | undefined;
    try {
      try {
        job = this.read(unit);
      } catch (error) {
        return this.bury(unit, error);
      }
      this.begin(job);
      try {
        await this.run(job);
      } catch (error) {
        return await this.fail(job, error);
      }
      return this.succeed(job);
    } catch (fault) {
      return this.giveUp(unit, job, fault);
    }
  }

  /** @throws TSQ_PAYLOAD_UNREADABLE, TSQ_PAYLOAD_TOO_DEEP, TSQ_PAYLOAD_TOO_LARGE */
  private read(unit: UnitOfWork): RunningJobContext {
    const payload = Payload.parse(unit.bytes);
    return new RunningJobContext(unit, payload, payload.args(this.settings.bigIntegers), this.logger);
  }

  private begin(job: RunningJobContext): void {
    this.parts.running.begin(job);
    job.unit.whenLost = (reason) => job.abort(reason);
    this.jobLog.started(job);
  }

  private run(job: RunningJobContext): Promise<void> {
    const worker = this.parts.registry.find(job.class); // unknown class: retry, another process may know it
    job.worker = worker;
    const args = worker.checkArgs(job.args); // against the schema: retry, and the message names the argument
    const perform = () => asPromise(() => worker.perform(job, args));
    const start = () => jobStorage.run(job, () => this.parts.middleware.invoke(job, perform));
    return worker.timeoutMs === undefined ? start() : this.jobTimeout.enforce(job, worker.timeoutMs, start);
  }

  private succeed(job: RunningJobContext): ProcessedJob {
    if (job.interruption !== undefined) return this.goOnLater(job, job.interruption);
    const processed = this.end(job, done);
    this.jobLog.done(job);
    return processed;
  }

  private async fail(job: RunningJobContext, error: unknown): Promise<ProcessedJob> {
    if (job.interruption !== undefined) return this.goOnLater(job, job.interruption);
    if (job.isTakenAway) {
      const processed = this.end(job, requeue);
      this.jobLog.takenAway(job, error, requeue);
      return processed;
    }
    const outcome = this.outcomeOf(job, error);
    const processed = this.end(job, outcome);
    this.jobLog.failed(job, error, outcome);
    await this.tellHandlers(job, error, processed);
    return processed;
  }

  /** An iterable job, whatever middleware made of its interruption: it is not at its end, so it must not be taken for done. */
  private goOnLater(job: RunningJobContext, interruption: Interruption): ProcessedJob {
    const outcome = interruption === 'stopping' ? requeue : this.yieldOf(job);
    const processed = this.end(job, outcome);
    if (job.worker !== undefined) this.parts.metrics?.count(job, 'passed'); // its time counts, as in Sidekiq
    this.jobLog.interrupted(job, outcome);
    return processed;
  }

  /** At the back of the line it has waited since now. */
  private yieldOf(job: RunningJobContext): Outcome {
    const { dialect = 'seconds', now = Date.now } = this.settings.retry ?? {};
    return { kind: 'yield', bytes: job.payload.edit({ enqueued_at: timestampJson(dialect, now()) }) };
  }

  private outcomeOf(job: RunningJobContext, error: unknown): Outcome {
    const failed = { payload: job.payload, queue: job.queue, workerOptions: job.worker?.options };
    try {
      return this.jobRetry.outcomeOf(failed, error);
    } catch (fault) {
      logThrown(job.logger, 'error', {}, fault, 'The failure of a job could not be noted in its payload');
      return { kind: 'dead', bytes: job.unit.bytes };
    }
  }

  private end(job: RunningJobContext, outcome: Outcome): ProcessedJob {
    job.unit.whenLost = undefined;
    this.parts.running.end(job);
    if (outcome !== requeue && outcome.kind !== 'yield')
      this.count(job, outcome === done ? 'passed' : 'failed');
    const settlement = this.settle(job.unit, outcome, job);
    const { whenDone } = job;
    if (outcome === done && whenDone !== undefined) {
      void settlement.then((word) => (word === 'settled' ? whenDone() : undefined));
    }
    return { outcome, settlement };
  }

  private count(job: RunningJobContext, result: 'passed' | 'failed'): void {
    this.parts.stats.count(result);
    // Under names that this process knows: any other is whatever a producer wrote.
    if (job.worker !== undefined) this.parts.metrics?.count(job, result);
  }

  /** Within the job's slot: handlers that are slow slow down the failures, instead of piling up. */
  private async tellHandlers(job: Job, error: unknown, { outcome, settlement }: ProcessedJob): Promise<void> {
    const { errorHandlers = [], deathHandlers = [] } = this.settings;
    if (errorHandlers.length > 0) await callHandlers(errorHandlers, job, error);
    if (deathHandlers.length === 0 || outcome.kind === 'retry') return;
    // A job that another instance owns by now has not died.
    if ((await settlement) === 'settled') await callHandlers(deathHandlers, job, error);
  }

  private bury(unit: UnitOfWork, error: unknown): ProcessedJob {
    this.tally.unreadable += 1;
    const outcome: Outcome = { kind: 'dead', bytes: unit.bytes };
    const processed = { outcome, settlement: this.settle(unit, outcome) };
    const fields = { queue: unit.queue, length: unit.bytes.length };
    const what = 'A payload can not be read; it goes to the dead set as it is';
    logThrown(this.logger, 'error', fields, error, what);
    return processed;
  }

  /** For what should not happen. An outcome that was handed over before the fault stays: the first call counts. */
  private giveUp(unit: UnitOfWork, job: RunningJobContext | undefined, fault: unknown): ProcessedJob {
    unit.whenLost = undefined;
    if (job !== undefined) this.parts.running.end(job);
    const outcome: Outcome = { kind: 'dead', bytes: unit.bytes };
    const processed = { outcome, settlement: this.settle(unit, outcome, job) };
    const fields = { jid: job?.jid, class: job?.class, queue: unit.queue };
    const what =
      'A fault of the runtime, not of the job; unless it had its outcome, the job goes to the dead set';
    logThrown(this.logger, 'error', fields, fault, what);
    return processed;
  }

  private settle(unit: UnitOfWork, outcome: Outcome, job?: Job): Promise<Settlement | 'unknown'> {
    return unit.settle(outcome).then(
      (settlement) => {
        if (settlement === 'lost') this.noteLost(unit, outcome, job);
        return settlement;
      },
      (error: unknown) => {
        this.tally.unknown += 1;
        const fields = { jid: job?.jid, class: job?.class, queue: unit.queue, outcome: outcome.kind };
        const what = 'It is not known whether Redis heard of the outcome of a job';
        logThrown(this.logger, 'error', fields, error, what);
        return 'unknown' as const;
      },
    );
  }

  private noteLost(unit: UnitOfWork, outcome: Outcome, job?: Job): void {
    this.tally.lost += 1;
    const fields = { jid: job?.jid, class: job?.class, queue: unit.queue, outcome: outcome.kind };
    const what = 'The outcome of a job was refused: another instance owns the job by now';
    logSafely(() => this.logger.warn(fields, what));
  }
}

/** Whatever `perform` is, middleware gets a promise: a `next()` that threw at once would pass its `.catch` by. */
function asPromise(perform: () => unknown): Promise<void> {
  try {
    const result = perform();
    // What it resolves to is nobody's, and a step that drops it would cost every job a turn of the microtask queue.
    return result === undefined ? resolved : (Promise.resolve(result) as Promise<unknown> as Promise<void>);
  } catch (error) {
    return Promise.reject(error);
  }
}

const resolved: Promise<void> = Promise.resolve();
