/**
 * One claimed job as the runtime sees it. It writes nothing itself: its end goes to the outbox, and travels with the next
 * round trip. What must stay true: one end per claim, whoever calls how often.
 */
import type { Outcome, Settlement, TsqError, UnitOfWork } from '@tsq/core';
import type { ClaimedJob } from './claim.js';
import { type InstanceId, type Member, memberOf } from './keyspace.js';
import type { Outbox } from './outbox.js';

export class ClaimedUnit implements UnitOfWork {
  whenLost: ((reason: TsqError) => void) | undefined;
  /** Its release was sent: an outcome is written without a claim. The outbox sets it. */
  released = false;
  private settlement: Promise<Settlement> | undefined;
  private releasing = false;
  private lost = false;

  constructor(
    /** The id under which it was claimed: the process may have another by now. */
    readonly owner: InstanceId,
    readonly job: ClaimedJob,
    private readonly outbox: Outbox,
  ) {}

  /** Its text in Redis; made when it is asked for, which few jobs need. */
  get member(): Member {
    return memberOf(this.owner, this.job.batch, this.job.index, this.job.queue);
  }

  get queue(): string {
    return this.job.queue;
  }

  get bytes(): Buffer {
    return this.job.bytes;
  }

  settle(outcome: Outcome): Promise<Settlement> {
    this.settlement ??= this.lost ? Promise.resolve('lost') : this.outbox.settle(this, outcome);
    return this.settlement;
  }

  release(): void {
    if (this.releasing || this.settlement !== undefined || this.lost) return;
    this.releasing = true;
    this.outbox.release(this);
  }

  /** Its end is on the way, or has arrived: what Redis answers to that decides, and nothing else. */
  get ending(): boolean {
    return this.settlement !== undefined;
  }

  /** The claim is gone without our doing. */
  lose(reason: TsqError): void {
    if (this.lost) return;
    this.lost = true;
    this.whenLost?.(reason);
  }
}
