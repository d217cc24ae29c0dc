/** A place for one running job; made once, so that a job costs no closure. */
import type { Logger, UnitOfWork } from '@tsq/core';
import type { JobProcessor, ProcessedJob } from './job-processor.js';

export class Slot {
  unit: UnitOfWork | undefined;

  constructor(
    private readonly processor: JobProcessor,
    private readonly onEnded: (slot: Slot, job: ProcessedJob | undefined) => void,
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

  /** The contract says that it never happens; should it, the claim stays, and recovery brings the job back. */
  private readonly broke = (error: unknown) => {
    this.logger.error({ err: error, queue: this.unit?.queue }, 'A processor failed outside of its job');
    this.unit = undefined;
    this.onEnded(this, undefined);
  };
}
