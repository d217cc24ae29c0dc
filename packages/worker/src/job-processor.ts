/** The contract between who keeps N jobs running (Manager) and who runs one (Processor). */
import type { Outcome, Settlement, UnitOfWork } from '@tsq/core';

export interface ProcessedJob {
  readonly outcome: Outcome;
  /** Not waited for before the next job starts: the end of a claim rides on the next claim. Never rejects. */
  readonly settlement: Promise<Settlement | 'unknown'>;
}

export interface JobProcessor {
  /** Resolves when the job's outcome is known and handed to `unit.settle`. Never rejects. */
  process(unit: UnitOfWork): Promise<ProcessedJob>;
}
