/**
 * What becomes of claimed jobs before they are given out, in this order: what only looked like ours goes back to its queue,
 * what was cancelled while it waited is dropped, suspects are kept until it is their turn. A suspect may wait here for long, and
 * is asked about again before it starts.
 *
 * What must stay true: a job that goes in is given out, waits here, or is on its way to an end, so that no claim is held
 * with nobody to work on it. Once quiet, nothing waits here.
 */
import { type Logger, unavailable } from '@tsq/core';
import type { Redis } from 'ioredis';
import type { CancelledClaims } from './cancelled-claims.js';
import type { ClaimReply } from './claim.js';
import type { ClaimedUnit } from './claimed-unit.js';
import type { KnownClaim } from './known-claim.js';
import type { ScriptReply } from './round-trip.js';
import type { Suspects } from './suspects.js';

export interface ClaimSieveOptions {
  readonly logger: Logger;
  /** undefined: every job is ours. */
  readonly known: KnownClaim | undefined;
  readonly cancelled: CancelledClaims;
  readonly suspects: Suspects;
}

export class ClaimSieve {
  /** Nobody has looked yet which of them are suspects. */
  private readonly unsifted: ClaimedUnit[] = [];
  private isQuiet = false;

  constructor(private readonly options: ClaimSieveOptions) {}

  /** What only looked like ours goes back, the newest first, and the next claim leaves it where it is. */
  ours(units: readonly ClaimedUnit[]): readonly ClaimedUnit[] {
    const { known } = this.options;
    if (known === undefined) return units;
    const foreign = units.filter((unit) => !known.accepts(unit.bytes));
    if (foreign.length === 0) return units;
    for (const unit of foreign.toReversed()) this.giveBack(unit);
    return units.filter((unit) => !foreign.includes(unit));
  }

  /**
   * Of those that are ours the ones that may run now.
   * @param suspects what Redis answered to `suspectsCall`
   * @throws TSQ_REDIS_UNAVAILABLE when it gave no answer; the jobs wait here, or go back when quiet
   */
  async sift(
    redis: Redis,
    ours: readonly ClaimedUnit[],
    { hasCancellations }: ClaimReply,
    suspects: ScriptReply | undefined,
  ): Promise<readonly ClaimedUnit[]> {
    const wanted = hasCancellations ? await this.options.cancelled.without(redis, ours) : ours;
    return this.withoutSuspects(wanted, suspects);
  }

  /** A claim whose reply was lost: it waits to be sifted; when nobody fetches any more it goes back. */
  adopt(unit: ClaimedUnit): void {
    if (this.isQuiet) this.giveBack(unit);
    else this.unsifted.push(unit);
  }

  hasUnsifted(queues: readonly string[]): boolean {
    return this.unsifted.some((unit) => queues.includes(unit.queue));
  }

  /**
   * Only those of the queues that the caller works on: it has slots of its own for them. Among them may be suspects and
   * cancelled ones, for nobody has looked when the reply was lost.
   * @throws as `sift`
   */
  async siftLate(
    redis: Redis,
    queues: readonly string[],
    max: number,
    suspects: ScriptReply | undefined,
  ): Promise<readonly ClaimedUnit[]> {
    const taken = this.unsifted.filter((unit) => queues.includes(unit.queue)).slice(0, max);
    for (const unit of taken) this.unsifted.splice(this.unsifted.indexOf(unit), 1);
    const ours = this.ours(taken.filter((unit) => !unit.isLost));
    return this.withoutSuspects(await this.options.cancelled.without(redis, ours), suspects);
  }

  /**
   * The suspect of these queues whose turn it is; one that was cancelled while it waited here is dropped.
   * @throws as `Suspects.start`
   */
  nextSuspect(redis: Redis, queues: readonly string[]): Promise<ClaimedUnit | undefined> {
    const isWanted = async (unit: ClaimedUnit) =>
      (await this.options.cancelled.without(redis, [unit])).length > 0;
    return this.options.suspects.start(redis, queues, isWanted);
  }

  /** Nobody fetches any more: what waits here, and what would from now on, goes back to its queue. */
  quiet(): void {
    this.isQuiet = true;
    for (const unit of this.unsifted.splice(0)) this.giveBack(unit);
    this.giveBackSuspects();
  }

  giveBackSuspects(): void {
    for (const unit of this.options.suspects.takeAll().toReversed()) this.giveBack(unit);
  }

  private withoutSuspects(
    units: readonly ClaimedUnit[],
    reply: ScriptReply | undefined,
  ): readonly ClaimedUnit[] {
    if (reply === undefined || 'error' in reply) return this.unseen(units, reply?.error);
    const others = this.options.suspects.sift(units, reply.value as Buffer[]); // the shape that the script's header gives
    if (this.isQuiet) this.giveBackSuspects();
    return others;
  }

  private unseen(units: readonly ClaimedUnit[], cause: Error | undefined): readonly ClaimedUnit[] {
    if (cause?.name !== 'ReplyError') {
      if (this.isQuiet) for (const unit of units.toReversed()) this.giveBack(unit);
      else this.unsifted.push(...units);
      throw unavailable(
        'it could not be seen which jobs were recovered before; they are looked at again',
        cause,
      );
    }
    // A key of the wrong type: all that is lost is that suspects run side by side.
    this.options.logger.warn({ err: cause }, 'it can not be seen which jobs were recovered before');
    return units;
  }

  private giveBack(unit: ClaimedUnit): void {
    unit.settle({ kind: 'requeue' }).catch((error: unknown) => {
      this.options.logger.error({ member: unit.member, err: error }, 'a job could not be given back');
    });
  }
}
