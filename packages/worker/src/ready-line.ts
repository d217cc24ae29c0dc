/** Jobs that were claimed and wait for a slot, oldest first. A line of batches: no copy, and no note per job. */
import type { UnitOfWork } from '@tsq/core';

interface Batch {
  readonly units: readonly UnitOfWork[];
  readonly claimedAtMs: number;
}

export class ReadyLine {
  private batches: Batch[] = [];
  private taken = 0;
  private waiting = 0;

  get size(): number {
    return this.waiting;
  }

  /** When the batch came whose jobs wait longest; undefined when none waits. */
  get oldestAtMs(): number | undefined {
    return this.batches[0]?.claimedAtMs;
  }

  add(units: readonly UnitOfWork[], claimedAtMs: number): void {
    if (units.length === 0) return;
    this.batches.push({ units, claimedAtMs });
    this.waiting += units.length;
  }

  /** The oldest. */
  take(): UnitOfWork | undefined {
    const batch = this.batches[0];
    const unit = batch?.units[this.taken];
    if (batch === undefined || unit === undefined) return undefined;
    this.taken += 1;
    this.waiting -= 1;
    if (this.taken === batch.units.length) {
      this.batches.shift();
      this.taken = 0;
    }
    return unit;
  }

  /** All, oldest first; the line is empty afterwards. */
  takeAll(): readonly UnitOfWork[] {
    const units = this.batches.flatMap((batch) => batch.units).slice(this.taken);
    this.batches = [];
    this.taken = 0;
    this.waiting = 0;
    return units;
  }
}
