/**
 * The ends of claims that Redis has not confirmed yet. An end stays here until its reply has come: after an error it is
 * simply sent again, because settle.lua writes nothing for a claim that it ended before.
 */
import type { Outcome, Settlement } from '@tsq/core';
import { TsqError } from '@tsq/core';
import type { ClaimedUnit } from './claimed-unit.js';
import type { InstanceId } from './keyspace.js';
import { type End, type EndReply, inScriptOrder, maxEndsPerSettle } from './settle.js';

interface Answer {
  resolve(settlement: Settlement): void;
  reject(error: TsqError): void;
}

export interface PendingEnd extends End {
  readonly unit: ClaimedUnit;
  outcome: End['outcome'];
  answer: Answer | undefined;
}

/** Ends of one instance, under way to Redis in one call of settle.lua. */
export interface Parcel {
  readonly owner: InstanceId;
  readonly ends: readonly PendingEnd[];
}

export interface OutboxEvents {
  /** There is something to send. */
  onWaiting(): void;
  /** Redis has answered: the claim has ended, or was lost, or (released) goes on without one. */
  onEnded(unit: ClaimedUnit, reply: Settlement): void;
}

const released = { kind: 'released' } as const;

/** A list takes the same bytes twice, where a sorted set does not. */
const pushes: ReadonlySet<End['outcome']['kind']> = new Set(['requeue', 'yield']);

/** What one call may carry: Redis writes it in a millisecond or two, and serves nobody else meanwhile. */
const maxBytesPerSettle = 2 ** 20;

export class Outbox {
  private waiting: PendingEnd[] = [];
  /** Their target key holds another type. They are still held, and safe; sent again now and then, not with each call. */
  private blocked: PendingEnd[] = [];
  private underWay = 0;

  constructor(private readonly events: OutboxEvents) {}

  /** Ends that wait to be sent, or whose reply has not come; the blocked ones aside. */
  get size(): number {
    return this.waiting.length + this.underWay;
  }

  get isWaiting(): boolean {
    return this.waiting.length > 0;
  }

  get blockedCount(): number {
    return this.blocked.length;
  }

  settle(unit: ClaimedUnit, outcome: Outcome): Promise<Settlement> {
    const release = unit.unsentRelease;
    if (release !== undefined) {
      unit.unsentRelease = undefined;
      release.outcome = outcome;
      return new Promise((resolve, reject) => {
        release.answer = { resolve, reject };
      });
    }
    // Nothing is left to write: the claim ended with the release.
    if (unit.claim !== 'held' && (outcome.kind === 'done' || outcome.kind === 'discarded')) {
      return Promise.resolve('settled');
    }
    return new Promise((resolve, reject) => {
      this.put(pendingEnd(unit, outcome, { resolve, reject }));
    });
  }

  release(unit: ClaimedUnit): void {
    const end = pendingEnd(unit, released, undefined);
    unit.unsentRelease = end;
    this.put(end);
  }

  /** Takes what waits, at most one call's worth for each instance. */
  take(): readonly Parcel[] {
    if (this.waiting.length === 0) return [];
    const batch = this.waiting.splice(0, this.fitting());
    this.underWay += batch.length;
    for (const end of batch) this.sent(end);
    const owner = batch[0]?.unit.owner;
    // Nearly always: only after a false death does a process end claims of two ids.
    if (owner !== undefined && batch.every((end) => end.unit.owner === owner)) {
      return [{ owner, ends: inScriptOrder(batch) }];
    }
    const owners = [...new Set(batch.map((end) => end.unit.owner))];
    return owners.map((each) => ({
      owner: each,
      ends: inScriptOrder(batch.filter((end) => end.unit.owner === each)),
    }));
  }

  /** Redis has answered a parcel: one reply for each end. Answers with those that are blocked. */
  arrived(parcel: Parcel, replies: readonly EndReply[]): readonly ClaimedUnit[] {
    this.underWay -= parcel.ends.length;
    const blocked = parcel.ends.filter((_, index) => (replies[index] ?? 'blocked') === 'blocked');
    parcel.ends.forEach((end, index) => {
      const reply = replies[index] ?? 'blocked';
      if (reply !== 'blocked') this.ended(end, reply);
    });
    this.blocked.push(...blocked);
    return blocked.map((end) => end.unit);
  }

  /** Somebody may have mended the key. */
  retryBlocked(): void {
    if (this.blocked.length === 0) return;
    this.waiting.push(...this.blocked);
    this.blocked = [];
    this.events.onWaiting();
  }

  /**
   * A parcel was refused, or it is not known whether it was executed: its ends are sent again, before all others. Only a
   * push to a queue without a claim is not, when it may have been executed: nothing would keep it from being pushed twice, and
   * such a job is at-most-once.
   */
  failed(parcel: Parcel, cause: Error, execution: 'refused' | 'unknown'): readonly ClaimedUnit[] {
    this.underWay -= parcel.ends.length;
    const isUnsafe = (end: PendingEnd) => end.claim !== 'held' && pushes.has(end.outcome.kind);
    const dropped = execution === 'refused' ? [] : parcel.ends.filter(isUnsafe);
    this.waiting.unshift(...parcel.ends.filter((end) => !dropped.includes(end)));
    for (const end of dropped) end.answer?.reject(unconfirmed(end, cause));
    return dropped.map((end) => end.unit);
  }

  /** Gives up: nobody will send what is left. Of claims that are held, recovery will find the jobs. */
  abandon(): { readonly held: number; readonly released: number } {
    const left = [...this.waiting, ...this.blocked];
    this.waiting = [];
    this.blocked = [];
    for (const end of left) {
      end.unit.unsentRelease = undefined;
      end.answer?.reject(unconfirmed(end));
    }
    const held = left.filter((end) => end.claim === 'held').length;
    return { held, released: left.length - held };
  }

  /** How many of those that wait fit into one call: by number, and by bytes, but at least one. */
  private fitting(): number {
    let bytes = 0;
    for (const [index, { outcome, job }] of this.waiting.entries()) {
      if (index === maxEndsPerSettle) return index;
      if ('bytes' in outcome) bytes += outcome.bytes.length;
      else if (outcome.kind === 'requeue') bytes += job.bytes.length;
      if (bytes > maxBytesPerSettle && index > 0) return index;
    }
    return this.waiting.length;
  }

  private ended(end: PendingEnd, reply: Settlement): void {
    if (end.outcome.kind === 'released' && reply === 'settled') end.unit.claim = 'none';
    this.events.onEnded(end.unit, reply);
    end.answer?.resolve(reply);
  }

  private sent(end: PendingEnd): void {
    if (end.unit.unsentRelease !== end) return;
    end.unit.unsentRelease = undefined;
    end.unit.claim = 'released';
  }

  private put(end: PendingEnd): void {
    this.waiting.push(end);
    this.events.onWaiting();
  }
}

function pendingEnd(unit: ClaimedUnit, outcome: End['outcome'], answer: Answer | undefined): PendingEnd {
  return { unit, job: unit.job, claim: unit.claim, outcome, answer };
}

function unconfirmed(end: PendingEnd, cause?: Error): TsqError {
  const message = `the outcome "${end.outcome.kind}" of a job from queue "${end.job.queue}" could not be confirmed by Redis`;
  return new TsqError('TSQ_REDIS_UNAVAILABLE', message, { cause });
}
