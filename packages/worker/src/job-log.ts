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
  constructor(private readonly level: JobLogLevel) {}

  started(job: RunningJobContext): void {
    if (this.level === 'failures') return;
    logSafely(() => infoLogger(job)?.info(job.logFields, 'start'));
  }

  done(job: RunningJobContext): void {
    if (this.level === 'failures') return;
    logSafely(() =>
      infoLogger(job)?.info({ ...job.logFields, outcome: 'done', durationMs: roundedMs(job) }, 'done'),
    );
  }

  failed(job: RunningJobContext, error: unknown, outcome: Outcome): void {
    const fields = {
      ...endFields(job, outcome),
      attempt: job.attempt,
      ...(outcome.kind === 'retry' ? { retryInSeconds: outcome.delaySeconds } : undefined),
    };
    if (outcome.kind === 'retry') logThrown(job.levelLogger, 'warn', fields, error, 'fail');
    else logThrown(job.levelLogger, 'error', fields, error, 'fail, for the last time');
  }

  /** It was told to stop, or lost its claim, and ended without its work done. */
  takenAway(job: RunningJobContext, error: unknown, outcome: Outcome): void {
    const fields = { ...endFields(job, outcome), reason: job.abortReason?.code };
    logThrown(job.levelLogger, 'warn', fields, error, 'interrupted');
  }

  /** An iterable job that stored where it stands, and goes on later. */
  interrupted(job: RunningJobContext, outcome: Outcome): void {
    if (this.level === 'failures') return;
    const fields = { ...endFields(job, outcome), reason: job.interruption };
    logSafely(() => infoLogger(job)?.info(fields, 'interrupted, and goes on later'));
  }

  /** Somebody asked for the work, and it is not done. */
  expired(job: RunningJobContext, lateMs: number): void {
    const late = { outcome: 'expired', expiredForSeconds: Math.round(lateMs) / 1_000 };
    logSafely(() =>
      job.levelLogger.warn({ ...job.logFields, ...late }, 'expired: dropped without being run'),
    );
  }
}

/** undefined: nobody wants the line, so it need not even be put together. */
function infoLogger({ levelLogger }: RunningJobContext): Logger | undefined {
  return levelLogger.isLevelEnabled?.('info') === false ? undefined : levelLogger;
}

function endFields(job: RunningJobContext, outcome: Outcome) {
  return { ...job.logFields, outcome: outcome.kind, durationMs: roundedMs(job) };
}

/** To a microsecond: a no-op's duration is not 0. */
function roundedMs(job: RunningJobContext): number {
  return Math.round(job.durationMs * 1_000) / 1_000;
}
