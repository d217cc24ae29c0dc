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
  type TsqError,
  timestampJson,
  type UnitOfWork,
} from '@tsq/core';
import { type Clock, hostClock } from './clock.js';
import { jobStorage } from './current-job.js';
import { callHandlers, type FailureHandler } from './failure-handlers.js';
import { type ForeignFeatures, refusalOf, refusalOutcome } from './foreign-features.js';
import type { Interruption } from './iteration.js';
import type { IterationRunner } from './iteration-runner.js';
import { RunningJobContext } from './job-context.js';
import { expiresAtMs } from './job-expiry.js';
import { JobLog, type JobLogLevel } from './job-log.js';
import type { JobMetrics } from './job-metrics.js';
import type { JobProcessor, ProcessedJob } from './job-processor.js';
import { JobRetry, type JobRetrySettings } from './job-retry.js';
import type { JobStats } from './job-stats.js';
import { JobTimeout } from './job-timeout.js';
import { logSafely, logThrown } from './log-thrown.js';
import { RetryHooks } from './retry-hooks.js';
import type { RunningJobs } from './running-jobs.js';
import type { WorkerRegistry } from './worker-registry.js';

export interface ProcessorParts {
  readonly registry: WorkerRegistry;
  readonly middleware: MiddlewareChain<Job, void>;
  readonly running: RunningJobs;
  readonly stats: JobStats;
  /** Decides about `expires_in` and `retry_for`. Default: this host's; see RedisClock. */
  readonly clock?: Clock;
  readonly metrics?: JobMetrics | undefined;
  /** Told of each cancelled job whose end Redis has confirmed. */
  readonly cancellations?: { forget(jid: string): Promise<void> };
  /** Runs workers that iterate; without it their jobs fail. */
  readonly iterations?: IterationRunner;
  readonly logger?: Logger;
}

export interface ProcessorSettings {
  /** `maxRetries`, `dialect`, ...: see JobRetrySettings. */
  readonly retry?: Partial<JobRetrySettings>;
  /** Between a timeout's signal and giving up on a `perform` that does not heed it. Default 5000. */
  readonly timeoutGraceMs?: number;
  /** How long a worker's `retryIn` or `retriesExhausted`, or a handler, is waited for. Default 30,000. */
  readonly hookTimeoutMs?: number;
  /** Default `all`: a line at the start and one at the end of each job. */
  readonly jobLog?: JobLogLevel;
  /** How integers beyond 2^53 arrive in `args`. Default `bigint`. */
  readonly bigIntegers?: 'bigint' | 'string';
  /** Jobs that need a feature of Sidekiq Pro or Enterprise that tsq lacks. Default `refuse`: they wait in `retry` for others. */
  readonly foreignFeatures?: ForeignFeatures;
  /** Called for every failure, once its outcome was handed over. */
  readonly errorHandlers?: readonly FailureHandler[];
  /** Called for a job that will not be retried, dead or discarded, once Redis has confirmed it. */
  readonly deathHandlers?: readonly FailureHandler[];
}

/** What went otherwise than planned, since the start. */
export interface ProcessorCounts {
  /** Bytes that could not be read: in the dead set. */
  readonly unreadable: number;
  /** Not run, because their `expires_in` was over. */
  readonly expired: number;
  /** Another instance owned the job by the time it ended here. */
  readonly lost: number;
  /** It is not known whether Redis heard of the outcome. */
  readonly unknown: number;
}

const done: Outcome = { kind: 'done' };
const requeue: Outcome = { kind: 'requeue' };
const expired: Outcome = { kind: 'discarded' };

export class Processor implements JobProcessor {
  private refused = 0;
  private cancelled = 0;
  private readonly logger: Logger;
  private readonly jobLog: JobLog;
  private readonly jobRetry: JobRetry;
  private readonly jobTimeout: JobTimeout;
  private readonly clock: Clock;
  private readonly hookTimeoutMs: number;
  private readonly tally = { unreadable: 0, expired: 0, lost: 0, unknown: 0 };

  constructor(
    private readonly parts: ProcessorParts,
    private readonly settings: ProcessorSettings = {},
  ) {
    this.logger = parts.logger ?? silentLogger;
    this.jobLog = new JobLog(settings.jobLog ?? 'all');
    this.clock = parts.clock ?? hostClock;
    this.hookTimeoutMs = settings.hookTimeoutMs ?? 30_000;
    this.jobRetry = new JobRetry(settings.retry, this.clock);
    this.jobTimeout = new JobTimeout(settings.timeoutGraceMs ?? 5_000);
  }

  get counts(): ProcessorCounts {
    return { ...this.tally };
  }

  /** Jobs that needed what tsq does not have, since the start: they wait in `retry`, their count unchanged. */
  get refusedJobs(): number {
    return this.refused;
  }

  /** Jobs that ended, since the start, because somebody had cancelled them. */
  get cancelledJobs(): number {
    return this.cancelled;
  }

  async process(unit: UnitOfWork): Promise<ProcessedJob> {
    let job: RunningJobContext | undefined;
    try {
      try {
        job = this.read(unit);
      } catch (error) {
        return this.bury(unit, error);
      }
      const refusal = this.settings.foreignFeatures === 'run' ? undefined : refusalOf(job.payload);
      if (refusal !== undefined) return this.refuse(job, refusal);
      this.begin(job);
      const expiry = expiresAtMs(job.payload, job.options.expiresIn);
      if (expiry !== undefined) {
        const nowMs = await this.clock.nowMs();
        if (nowMs !== undefined && nowMs >= expiry) return this.drop(job, nowMs - expiry);
      }
      try {
        await this.run(job);
      } catch (error) {
        if (job.abortReason?.code === 'TSQ_JOB_CANCELLED') return this.cancel(job, error);
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
    job.worker = this.parts.registry.get(job.class);
    this.parts.running.begin(job);
    job.unit.whenLost = (reason) => job.abort(reason);
    this.jobLog.started(job);
  }

  private run(job: RunningJobContext): Promise<void> {
    const worker = job.worker ?? this.parts.registry.find(job.class); // unknown: throws; another process may know it
    const args = worker.checkArgs(job.args); // against the schema: retry, and the message names the argument
    const perform = () => asPromise(() => worker.perform(job, args, this.parts.iterations));
    const start = () => jobStorage.run(job, () => this.parts.middleware.invoke(job, perform));
    return worker.timeoutMs === undefined ? start() : this.jobTimeout.enforce(job, worker.timeoutMs, start);
  }

  private succeed(job: RunningJobContext): ProcessedJob {
    if (job.interruption !== undefined) return this.goOnLater(job, job.interruption);
    const processed = this.end(job, done);
    if (job.abortReason !== undefined) void this.forgetCancellation(job, processed); // heeded or not, it is over
    this.jobLog.done(job);
    return processed;
  }

  private drop(job: RunningJobContext, lateMs: number): ProcessedJob {
    this.tally.expired += 1;
    const processed = this.end(job, expired);
    this.jobLog.expired(job, lateMs);
    return processed;
  }

  private async fail(job: RunningJobContext, error: unknown): Promise<ProcessedJob> {
    if (job.interruption !== undefined) return this.goOnLater(job, job.interruption);
    const outcome = job.isTakenAway ? requeue : await this.outcomeOf(job, error);
    const processed = this.end(job, outcome);
    if (outcome === requeue) {
      this.jobLog.takenAway(job, error, requeue);
      return processed;
    }
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

  /** `requeue` when the job is taken away while its worker's hooks are asked: who runs it next asks them again. */
  private async outcomeOf(job: RunningJobContext, error: unknown): Promise<Outcome> {
    const failed = { payload: job.payload, queue: job.queue, workerOptions: job.worker?.options };
    const hooks = new RetryHooks(job, job.options, this.hookTimeoutMs);
    job.whenTakenAway = hooks.takeAway;
    try {
      const outcome = await this.jobRetry.outcomeOf(failed, error, hooks);
      return hooks.areTooLate ? requeue : outcome;
    } catch (fault) {
      logThrown(job.logger, 'error', {}, fault, 'The failure of a job could not be noted in its payload');
      return { kind: 'dead', bytes: job.unit.bytes };
    }
  }

  private end(job: RunningJobContext, outcome: Outcome): ProcessedJob {
    job.unit.whenLost = undefined;
    this.parts.running.end(job);
    if (outcome === expired)
      this.parts.stats.count('passed'); // it has ended, but was not run: that says nothing of its class
    else if (outcome !== requeue && outcome.kind !== 'yield')
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
    const { kind } = outcome;
    const failure = { job, error, ending: kind === 'retry' || kind === 'dead' ? kind : 'discarded' } as const;
    if (errorHandlers.length > 0) await callHandlers(errorHandlers, failure, this.hookTimeoutMs);
    if (deathHandlers.length === 0 || kind === 'retry') return;
    // A job that another instance owns by now has not died.
    if ((await settlement) === 'settled') await callHandlers(deathHandlers, failure, this.hookTimeoutMs);
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

  /** It has not begun: neither shown as running nor counted by Sidekiq's statistics. */
  private refuse(job: RunningJobContext, reason: TsqError): ProcessedJob {
    this.refused += 1;
    const outcome = refusalOutcome(job.payload, job.queue, reason);
    const processed = { outcome, settlement: this.settle(job.unit, outcome, job) };
    const fields = { jid: job.jid, class: job.class, queue: job.queue, retryInSeconds: outcome.delaySeconds };
    logThrown(this.logger, 'warn', fields, reason, 'refused');
    return processed;
  }

  /** Not retried, not dead, and no failure: somebody wanted it so. */
  private cancel(job: RunningJobContext, error: unknown): ProcessedJob {
    this.cancelled += 1;
    job.unit.whenLost = undefined;
    this.parts.running.end(job);
    this.parts.stats.count('passed');
    const outcome: Outcome = { kind: 'discarded' };
    const processed = { outcome, settlement: this.settle(job.unit, outcome, job) };
    const { jid, class: name, queue, durationMs } = job;
    logThrown(this.logger, 'warn', { jid, class: name, queue, durationMs }, error, 'cancelled');
    void this.forgetCancellation(job, processed);
    return processed;
  }

  private async forgetCancellation({ jid, abortReason }: RunningJobContext, { settlement }: ProcessedJob) {
    if (abortReason?.code !== 'TSQ_JOB_CANCELLED') return;
    if ((await settlement) === 'settled') await this.parts.cancellations?.forget(jid);
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
