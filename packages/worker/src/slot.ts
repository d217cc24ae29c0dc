/** A place for one running job; made once, so that a job costs no closure. */
import type { Logger, Outcome, Settlement, UnitOfWork } from '@tsq/core';
import type { JobProcessor, ProcessedJob } from './job-processor.js';
import { logThrown } from './log-thrown.js';

export class Slot {
  unit: UnitOfWork | undefined;

  constructor(
    private readonly processor: JobProcessor,
    private readonly onEnded: (slot: Slot, job: ProcessedJob) => void,
    private readonly logger: Logger,
  ) {}

  run(unit: UnitOfWork): void {
    this.unit = unit;
    this.processor.process(unit).then(this.ended, this.broke);
  }

  private readonly ended = (job: ProcessedJob) => {
    this.unit = undefined;
    this.onEnded(this, job);
  };

  /**
   * The contract says that it never happens. Should it, recovery would not come while this process lives, and a retry could
   * fail so for ever: the dead set is where somebody looks.
   */
  private readonly broke = (error: unknown) => {
    const { unit } = this;
    if (unit === undefined) return; // for the compiler: `run` set it
    const outcome: Outcome = { kind: 'dead', bytes: unit.bytes };
    const settlement = this.settle(unit, outcome);
    const what =
      'A processor failed outside of its job; unless it had its outcome, the job goes to the dead set';
    logThrown(this.logger, 'error', { queue: unit.queue }, error, what);
    this.ended({ outcome, settlement });
  };

  private async settle(unit: UnitOfWork, outcome: Outcome): Promise<Settlement | 'unknown'> {
    try {
      return await unit.settle(outcome);
    } catch (error) {
      const what = 'It is not known whether Redis heard of the outcome of a job';
      logThrown(this.logger, 'error', { queue: unit.queue, outcome: outcome.kind }, error, what);
      return 'unknown';
    }
  }
}
