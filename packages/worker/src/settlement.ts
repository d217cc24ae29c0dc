/**
 * Hands a job's outcome to its unit, and notes what comes of it. Nobody waits here for the answer: the end of a claim rides on
 * the next claim. What must stay true: the promise never rejects, and an outcome that Redis refused or may not have heard of
 * leaves a line in the log and a count.
 */
import type { Job, Logger, Outcome, Settlement, UnitOfWork } from '@tsq/core';
import { logSafely, logThrown } from './log-thrown.js';
import type { ProcessorTally } from './processor-counts.js';

export class Settlements {
  constructor(
    private readonly tally: ProcessorTally,
    private readonly logger: Logger,
  ) {}

  /** @param job undefined when its payload could not be read */
  settle(unit: UnitOfWork, outcome: Outcome, job?: Job): Promise<Settlement | 'unknown'> {
    return unit.settle(outcome).then(
      (settlement) => {
        if (settlement === 'lost') this.noteLost(unit, outcome, job);
        return settlement;
      },
      (error: unknown) => {
        this.noteUnknown(unit, outcome, error, job);
        return 'unknown' as const;
      },
    );
  }

  private noteLost(unit: UnitOfWork, outcome: Outcome, job?: Job): void {
    this.tally.lost += 1;
    const what = 'The outcome of a job was refused: another instance owns the job by now';
    logSafely(() => this.logger.warn(fieldsOf(unit, outcome, job), what));
  }

  private noteUnknown(unit: UnitOfWork, outcome: Outcome, error: unknown, job?: Job): void {
    this.tally.unknown += 1;
    const what = 'It is not known whether Redis heard of the outcome of a job';
    logThrown(this.logger, 'error', fieldsOf(unit, outcome, job), error, what);
  }
}

function fieldsOf(unit: UnitOfWork, outcome: Outcome, job: Job | undefined) {
  return { jid: job?.jid, class: job?.class, queue: unit.queue, outcome: outcome.kind };
}
