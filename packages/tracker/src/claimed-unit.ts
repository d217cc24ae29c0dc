/**
 * One claimed job as the runtime sees it. It writes nothing itself: its end goes to the outbox, and travels with the next
 * round trip. What must stay true: one end per claim, whoever calls how often.
 */
import type { Outcome, Seated, Settlement, TsqError, UnitOfWork } from '@tsq/core';
import type { ClaimedJob } from './claim.js';
import { type InstanceId, type Member, memberOf } from './keyspace.js';
import type { Outbox, PendingEnd } from './outbox.js';
import type { ClaimState } from './settle.js';

export class ClaimedUnit implements UnitOfWork, Seated {
  /** The outbox keeps it: it knows what was sent and what was confirmed. */
  claim: ClaimState = 'held';
  /** The outbox's: a release that was not sent yet; an outcome that comes in time takes its place. */
  unsentRelease: PendingEnd | undefined;
  seat = -1;
  private settlement: Promise<Settlement> | undefined;
  private releasing = false;
  private lossListener: ((reason: TsqError) => void) | undefined;
  private loss: TsqError | undefined;
  /** Called once, when the job has ended here: it is settled or lost. For the few of which somebody must know. */
  whenEnded: (() => void) | undefined;

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

  get batch(): number {
    return this.job.batch;
  }

  get index(): number {
    return this.job.index;
  }

  get whenLost(): ((reason: TsqError) => void) | undefined {
    return this.lossListener;
  }

  /** Called at once when the claim is lost already: it may have waited for its turn meanwhile. */
  set whenLost(listener: ((reason: TsqError) => void) | undefined) {
    this.lossListener = listener;
    if (this.loss !== undefined) listener?.(this.loss);
  }

  settle(outcome: Outcome): Promise<Settlement> {
    this.settlement ??= this.isLost ? Promise.resolve('lost') : this.outbox.settle(this, outcome);
    this.tellEnded();
    return this.settlement;
  }

  release(): void {
    if (this.releasing || this.settlement !== undefined || this.isLost) return;
    this.releasing = true;
    this.outbox.release(this);
  }

  /** Its end or its release was sent: what Redis answers to that decides, and nothing else. */
  get ending(): boolean {
    return this.settlement !== undefined || this.claim !== 'held';
  }

  get isLost(): boolean {
    return this.loss !== undefined;
  }

  /** The claim is gone without our doing. */
  lose(reason: TsqError): void {
    if (this.isLost) return;
    this.loss = reason;
    this.lossListener?.(reason);
    this.tellEnded();
  }

  private tellEnded(): void {
    const tell = this.whenEnded;
    this.whenEnded = undefined;
    tell?.();
  }
}
