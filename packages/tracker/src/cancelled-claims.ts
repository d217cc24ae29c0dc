/**
 * A job that was cancelled while it waited is dropped when it is claimed: not run, and not without a trace. Asked only while
 * a claim's reply says that cancellations exist at all, so that jobs cost nothing for it at any other time.
 */
import { cancelledOf, forgetCancellation, type Logger, Payload } from '@tsq/core';
import type { Redis } from 'ioredis';
import type { ClaimedUnit } from './claimed-unit.js';

export class CancelledClaims {
  /** Dropped, since the start. */
  dropped = 0;

  constructor(
    private readonly namespace: string,
    private readonly logger: Logger,
  ) {}

  /** Those that are to run. Never rejects: when Redis does not say, the jobs run, and are looked at while they do. */
  async without(redis: Redis, units: readonly ClaimedUnit[]): Promise<readonly ClaimedUnit[]> {
    const jids = units.map((unit) => jidOf(unit.bytes));
    try {
      const known = jids.filter((jid) => jid !== undefined);
      const cancelled = await cancelledOf(redis, known, this.namespace);
      const isCancelled = (jid: string | undefined) => jid !== undefined && cancelled.has(jid);
      units.forEach((unit, index) => {
        const jid = jids[index];
        if (jid !== undefined && cancelled.has(jid)) void this.drop(redis, unit, jid);
      });
      return cancelled.size === 0 ? units : units.filter((_unit, index) => !isCancelled(jids[index]));
    } catch (error) {
      this.logger.warn({ err: error }, 'it is not known which of the claimed jobs were cancelled; they run');
      return units;
    }
  }

  private async drop(redis: Redis, unit: ClaimedUnit, jid: string): Promise<void> {
    this.dropped += 1;
    this.logger.warn({ jid, queue: unit.queue }, 'cancelled while it waited; it is dropped');
    try {
      if ((await unit.settle({ kind: 'discarded' })) === 'settled')
        await forgetCancellation(redis, jid, this.namespace);
    } catch (error) {
      // Its cancellation stays noted: when the job comes up again, it is dropped again.
      this.logger.warn(
        { jid, err: error },
        'it is not known whether Redis heard of the end of a cancelled job',
      );
    }
  }
}

function jidOf(bytes: Buffer): string | undefined {
  try {
    return Payload.parse(bytes).jid;
  } catch {
    return undefined; // who runs it has a word for it
  }
}
