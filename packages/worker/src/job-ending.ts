/**
 * The ways in which a job can end here, one to a method: which outcome it is, what it counts as, what the log says, and who is
 * told. Longer than most files because it is a list.
 *
 * What must stay true: the outcome is handed over before anything is logged about it or anybody is told, and by then the job is
 * in no list of what runs. What `perform` and middleware throw does not say by itself that a job has failed: one that was
 * cancelled, interrupted or taken away has not, whatever it threw.
 */
import {
  type Logger,
  type Outcome,
  silentLogger,
  type TsqError,
  timestampJson,
  type UnitOfWork,
} from '@tsq/core';
import { FailureHandlers } from './failure-handlers.js';
import { refusalOutcome } from './foreign-features.js';
import type { Interruption } from './iteration.js';
import type { RunningJobContext } from './job-context.js';
import type { JobLog } from './job-log.js';
import type { ProcessedJob } from './job-processor.js';
import { JobRetry } from './job-retry.js';
import { logThrown } from './log-thrown.js';
import { emptyTally, type ProcessorCounts } from './processor-counts.js';
import type { ProcessorParts, ProcessorSettings } from './processor-settings.js';
import { RetryHooks } from './retry-hooks.js';
import { Settlements } from './settlement.js';

const done: Outcome = { kind: 'done' };
const requeue: Outcome = { kind: 'requeue' };
const discarded: Outcome = { kind: 'discarded' };

export class JobEnding {
  private readonly tally = emptyTally();
  private readonly logger: Logger;
  private readonly hookTimeoutMs: number;
  private readonly jobRetry: JobRetry;
  private readonly handlers: FailureHandlers;
  private readonly settlements: Settlements;

  constructor(
    private readonly parts: ProcessorParts,
    private readonly settings: ProcessorSettings,
    private readonly jobLog: JobLog,
  ) {
    const { retry, hookTimeoutMs = 30_000, errorHandlers = [], deathHandlers = [] } = settings;
    this.logger = parts.logger ?? silentLogger;
    this.hookTimeoutMs = hookTimeoutMs;
    this.jobRetry = new JobRetry(retry, parts.clock);
    this.handlers = new FailureHandlers(errorHandlers, deathHandlers, hookTimeoutMs);
    this.settlements = new Settlements(this.tally, this.logger);
  }

  get counts(): ProcessorCounts {
    return { ...this.tally };
  }

  unreadable(unit: UnitOfWork, error: unknown): ProcessedJob {
    this.tally.unreadable += 1;
    const outcome: Outcome = { kind: 'dead', bytes: unit.bytes };
    const settlement = this.settlements.settle(unit, outcome);
    const fields = { queue: unit.queue, length: unit.bytes.length };
    const what = 'A payload can not be read; it goes to the dead set as it is';
    logThrown(this.logger, 'error', fields, error, what);
    return { outcome, settlement };
  }

  /** It has not begun: neither shown as running nor counted by Sidekiq's statistics. */
  refused(job: RunningJobContext, reason: TsqError): ProcessedJob {
    this.tally.refused += 1;
    const outcome = refusalOutcome(job.payload, job.queue, reason, this.jobRetry.stamp());
    const settlement = this.settle(job, outcome);
    const fields = { jid: job.jid, class: job.class, queue: job.queue, retryInSeconds: outcome.delaySeconds };
    logThrown(this.logger, 'warn', fields, reason, 'refused');
    return { outcome, settlement };
  }

  /** It was not run, which says nothing of its class. */
  expired(job: RunningJobContext, lateMs: number): ProcessedJob {
    this.tally.expired += 1;
    this.leave(job);
    this.parts.stats.count('passed');
    const settlement = this.settle(job, discarded);
    this.jobLog.expired(job, lateMs);
    return { outcome: discarded, settlement };
  }

  /** An iterable job that is not at its end must not be taken for done, whatever middleware made of its interruption. */
  returned(job: RunningJobContext): ProcessedJob {
    return job.interruption === undefined ? this.done(job) : this.interrupted(job, job.interruption);
  }

  async threw(job: RunningJobContext, error: unknown): Promise<ProcessedJob> {
    if (job.abortReason?.code === 'TSQ_JOB_CANCELLED') return this.cancelled(job, error);
    if (job.interruption !== undefined) return this.interrupted(job, job.interruption);
    const outcome = job.isTakenAway ? requeue : await this.outcomeOf(job, error);
    if (outcome === requeue) return this.takenAway(job, error);
    const processed = this.failed(job, error, outcome);
    await this.handlers.tell(job, error, processed);
    return processed;
  }

  /** For what should not happen. An outcome that was handed over before the fault stays: the first call counts. */
  fault(job: RunningJobContext, fault: unknown): ProcessedJob {
    this.leave(job);
    const outcome: Outcome = { kind: 'dead', bytes: job.unit.bytes };
    const settlement = this.settle(job, outcome);
    const fields = { jid: job.jid, class: job.class, queue: job.queue };
    const what =
      'A fault of the runtime, not of the job; unless it had its outcome, the job goes to the dead set';
    logThrown(this.logger, 'error', fields, fault, what);
    return { outcome, settlement };
  }

  private done(job: RunningJobContext): ProcessedJob {
    this.leave(job);
    this.count(job, 'passed');
    const settlement = this.settle(job, done);
    if (job.whenDone !== undefined) void onceSettled(settlement, job.whenDone);
    this.forgetCancellation(job, settlement); // heeded or not, it is over
    this.jobLog.done(job);
    return { outcome: done, settlement };
  }

  /** For the metrics its time counts, as in Sidekiq; for the statistics it has not ended. */
  private interrupted(job: RunningJobContext, interruption: Interruption): ProcessedJob {
    const outcome = interruption === 'stopping' ? requeue : this.yieldOf(job);
    this.leave(job);
    const settlement = this.settle(job, outcome);
    if (job.worker !== undefined) this.parts.metrics?.count(job, 'passed');
    this.jobLog.interrupted(job, outcome);
    return { outcome, settlement };
  }

  /** Not retried, not dead, and no failure: somebody wanted it so. */
  private cancelled(job: RunningJobContext, error: unknown): ProcessedJob {
    this.tally.cancelled += 1;
    this.leave(job);
    this.parts.stats.count('passed');
    const settlement = this.settle(job, discarded);
    const { jid, class: name, queue, durationMs } = job;
    logThrown(this.logger, 'warn', { jid, class: name, queue, durationMs }, error, 'cancelled');
    this.forgetCancellation(job, settlement);
    return { outcome: discarded, settlement };
  }

  /** Counted by who runs it next. */
  private takenAway(job: RunningJobContext, error: unknown): ProcessedJob {
    this.leave(job);
    const settlement = this.settle(job, requeue);
    this.jobLog.takenAway(job, error, requeue);
    return { outcome: requeue, settlement };
  }

  private failed(job: RunningJobContext, error: unknown, outcome: Outcome): ProcessedJob {
    this.leave(job);
    this.count(job, 'failed');
    const settlement = this.settle(job, outcome);
    this.jobLog.failed(job, error, outcome);
    return { outcome, settlement };
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

  /** At the back of the line it has waited since now. */
  private yieldOf(job: RunningJobContext): Outcome {
    const { dialect = 'seconds', now = Date.now } = this.settings.retry ?? {};
    return { kind: 'yield', bytes: job.payload.edit({ enqueued_at: timestampJson(dialect, now()) }) };
  }

  /** It runs no more; who looks for a job to abort finds it no more. */
  private leave(job: RunningJobContext): void {
    job.unit.whenLost = undefined;
    this.parts.running.end(job);
  }

  private count(job: RunningJobContext, result: 'passed' | 'failed'): void {
    this.parts.stats.count(result);
    // Under names that this process knows: any other is whatever a producer wrote.
    if (job.worker !== undefined) this.parts.metrics?.count(job, result);
  }

  private settle(job: RunningJobContext, outcome: Outcome): ProcessedJob['settlement'] {
    return this.settlements.settle(job.unit, outcome, job);
  }

  private forgetCancellation(job: RunningJobContext, settlement: ProcessedJob['settlement']): void {
    if (job.abortReason?.code !== 'TSQ_JOB_CANCELLED') return;
    void onceSettled(settlement, () => this.parts.cancellations?.forget(job.jid));
  }
}

/** Not when the outcome was refused: then the job is another instance's. */
async function onceSettled(settlement: ProcessedJob['settlement'], then: () => unknown): Promise<void> {
  if ((await settlement) === 'settled') await then();
}
