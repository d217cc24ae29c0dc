/** A UnitOfWork that keeps what it was told: for tests of the Processor alone. */
import type { Outcome, Settlement, TsqError, UnitOfWork } from '@tsq/core';

export class RecordingUnit implements UnitOfWork {
  whenLost: ((reason: TsqError) => void) | undefined;
  /** In the order of the calls. */
  readonly outcomes: Outcome[] = [];
  released = false;
  readonly bytes: Buffer;

  /** @param answer what `settle` answers; an Error rejects */
  constructor(
    payload: object | string | Buffer,
    readonly queue = 'default',
    private readonly answer: Settlement | Promise<Settlement> | Error = 'settled',
  ) {
    this.bytes = Buffer.isBuffer(payload)
      ? payload
      : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  }

  async settle(outcome: Outcome): Promise<Settlement> {
    this.outcomes.push(outcome);
    if (this.answer instanceof Error) throw this.answer;
    return this.answer;
  }

  release(): void {
    this.released = true;
  }
}
