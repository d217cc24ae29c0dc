/**
 * Compares what Redis has noted for this instance with what this process knows: after a claim without an answer, for it may
 * have taken jobs, and at each beat, for others may have declared the instance dead. A claim that is unknown here is
 * adopted, one that is missing there is lost (S2).
 *
 * What must stay true: of an id that was declared dead nothing is adopted, because recovery puts that back; and a claim
 * without an answer is in doubt until a comparison that began after it has ended.
 */
import { type Logger, type Settlement, TsqError, unavailable } from '@tsq/core';
import type { Redis } from 'ioredis';
import type { ClaimLedger } from './claim-ledger.js';
import { ClaimedUnit } from './claimed-unit.js';
import type { Courier } from './courier.js';
import { type InstanceId, type Keyspace, type Member, placeOf } from './keyspace.js';
import { type LostClaimListener, lostClaimOf } from './lost-claim.js';

export interface ReconciliationOptions {
  readonly keyspace: Keyspace;
  readonly logger: Logger;
  readonly ledger: ClaimLedger;
  readonly courier: Courier;
  /** It is held from now on, and nobody has looked at it yet. */
  readonly onAdopted: (unit: ClaimedUnit) => void;
  readonly onLost?: LostClaimListener | undefined;
}

export class Reconciliation {
  lost = 0;
  adopted = 0;
  private readonly formerIds = new Set<InstanceId>();
  /** Claims without an answer, and how many of them the books have been compared after. */
  private doubts = 0;
  private settledDoubts = 0;

  constructor(private readonly options: ReconciliationOptions) {}

  get inDoubt(): boolean {
    return this.doubts > this.settledDoubts;
  }

  /** A claim got no answer. */
  doubt(): void {
    this.doubts += 1;
  }

  /** The instance goes on under another id; what it claimed under this one may be lost. */
  lapsed(id: InstanceId): void {
    this.formerIds.add(id);
  }

  /** @throws TSQ_REDIS_UNAVAILABLE */
  async run(redis: Redis, current: InstanceId): Promise<void> {
    // A claim that fails meanwhile is not in what is read now.
    const { doubts } = this;
    try {
      await this.compareCurrent(redis, current);
      for (const former of this.formerIds) await this.compareFormer(redis, former);
      this.settledDoubts = Math.max(this.settledDoubts, doubts);
    } catch (error) {
      throw unavailable('the claims of this instance could not be read', error);
    }
  }

  /** What Redis answered to the end of a claim. */
  ended(unit: ClaimedUnit, reply: Settlement): void {
    if (reply === 'lost') this.lose(unit);
    else this.options.ledger.strike(unit);
  }

  private async compareCurrent(redis: Redis, id: InstanceId): Promise<void> {
    const { ledger, courier } = this.options;
    const { missing, unknown } = await ledger.compare(redis, id, courier.underWay);
    for (const unit of missing) this.lose(unit);
    for (const member of unknown) await this.adopt(redis, id, member);
  }

  private async compareFormer(redis: Redis, id: InstanceId): Promise<void> {
    const { ledger, courier } = this.options;
    const { missing, noted } = await ledger.compare(redis, id, courier.underWay);
    for (const unit of missing) this.lose(unit);
    if (noted === 0 && ledger.claimsOf(id).length === 0) this.formerIds.delete(id);
  }

  private async adopt(redis: Redis, id: InstanceId, member: Member): Promise<void> {
    const { keyspace, ledger, courier, logger, onAdopted } = this.options;
    const bytes = await redis.getBuffer(keyspace.job(member));
    // It has ended, or was put back, since the books were read.
    if (bytes === null || ledger.has(member)) return;
    this.adopted += 1;
    logger.warn({ member }, 'adopted a claim whose reply was lost');
    onAdopted(ledger.hold(new ClaimedUnit(id, { ...placeOf(id, member), bytes }, courier.outbox)));
  }

  private lose(unit: ClaimedUnit): void {
    const { ledger, logger } = this.options;
    ledger.strike(unit);
    this.lost += 1;
    const lost = lostClaimOf(unit);
    logger.error(lost, 'a claim is lost: another instance owns the job by now');
    const message = `instance ${unit.owner} was declared dead while it worked on a job of queue "${unit.queue}": another instance owns the job now`;
    unit.lose(new TsqError('TSQ_CLAIM_LOST', message));
    try {
      this.options.onLost?.(lost);
    } catch (error) {
      logger.error({ err: error }, 'a listener of lost claims failed');
    }
  }
}
