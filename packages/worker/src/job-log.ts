/**
 * One line when a job starts and one when it ends, with jid, class and duration. A failure is logged in any case; the
 * others are a setting, and cost nothing while the logger's level is above them. Nothing here throws, whatever the job
 * threw and whatever the logger does.
 */
import type { Logger, Outcome } from '@tsq/core';
import type { RunningJobContext } from './job-context.js';
import { logSafely, logThrown } from './log-thrown.js';

/** `failures`: only what went wrong. */
export type JobLogLevel = 'all' | 'failures';

export class JobLog {
  constructor(
    private readonly logger: Logger,
    private readonly level: JobLogLevel,
  ) {}

  started(job: RunningJobContext): void {
    if (this.isSilent()) return;
    logSafely(() => this.logger.info({ jid: job.jid, class: job.class, queue: job.queue }, 'start'));
  }

  done(job: RunningJobContext): void {
    if (this.isSilent()) return;
    const { jid, class: name, queue } = job;
    const fields = { jid, class: name, queue, outcome: 'done', durationMs: roundedMs(job) };
    logSafely(() => this.logger.info(fields, 'done'));
  }

  failed(job: RunningJobContext, error: unknown, outcome: Outcome): void {
    const fields = {
      ...endFields(job, outcome),
      attempt: job.attempt,
      ...(outcome.kind === 'retry' ? { retryInSeconds: outcome.delaySeconds } : undefined),
    };
    if (outcome.kind === 'retry') logThrown(this.logger, 'warn', fields, error, 'fail');
    else logThrown(this.logger, 'error', fields, error, 'fail, for the last time');
  }

  /** It was told to stop, or lost its claim, and ended without its work done. */
  takenAway(job: RunningJobContext, error: unknown, outcome: Outcome): void {
    const fields = { ...endFields(job, outcome), reason: job.abortReason?.code };
    logThrown(this.logger, 'warn', fields, error, 'interrupted');
  }

  /** An iterable job that stored where it stands, and goes on later. */
  interrupted(job: RunningJobContext, outcome: Outcome): void {
    if (this.isSilent()) return;
    const fields = { ...endFields(job, outcome), reason: job.interruption };
    logSafely(() => this.logger.info(fields, 'interrupted, and goes on later'));
  }

  private isSilent(): boolean {
    return this.level === 'failures' || this.logger.isLevelEnabled?.('info') === false;
  }
}

function endFields(job: RunningJobContext, outcome: Outcome) {
  const { jid, class: name, queue } = job;
  return { jid, class: name, queue, outcome: outcome.kind, durationMs: roundedMs(job) };
}

/** To a microsecond: a no-op's duration is not 0. */
function roundedMs(job: RunningJobContext): number {
  return Math.round(job.durationMs * 1_000) / 1_000;
}
