/**
 * Carries the ends of claims to Redis: with each claim, or after a moment when none comes. What must stay true: an end is
 * carried until Redis has answered it, and nothing keeps an answered one from being noted.
 */
import {
  type DeadSetLimits,
  faultPoint,
  type Logger,
  pause,
  Roster,
  type Seated,
  type Settlement,
  Trouble,
  TsqError,
  untilSaid,
} from '@tsq/core';
import type { Redis } from 'ioredis';
import type { ClaimedUnit } from './claimed-unit.js';
import type { Keyspace } from './keyspace.js';
import { Outbox, type Parcel } from './outbox.js';
import { roundTrip, type ScriptCall, type ScriptReply } from './round-trip.js';
import { readSettle, settleArguments, settleKeys, settleScript } from './settle.js';

export interface CourierOptions {
  readonly keyspace: Keyspace;
  readonly dead: DeadSetLimits;
  readonly logger: Logger;
  /** How long an end waits for a claim to ride on. */
  readonly flushAfterMs: number;
  /** Between two tries to write ends whose target key holds another type. */
  readonly retryBlockedAfterMs: number;
  /** The connection that claims: it keeps the order. undefined before the start. */
  readonly connection: () => Redis | undefined;
  readonly onEnded: (unit: ClaimedUnit, reply: Settlement) => void;
}

/** With so many outcomes that can't be written nothing more is claimed: the queues are the better place to wait. */
const mostBlocked = 1_000;
/** Between two tries of a flush that failed. */
const retryAfterMs = 250;
/** For the last words of a stop whose deadline has passed, where the caller sets no end. */
const lastWordsMs = 2_000;

/** A call that was sent, and has not been answered. */
interface Trip extends Seated {
  readonly arrival: Promise<unknown>;
}

export class Courier {
  readonly outbox: Outbox;
  private readonly trips = new Roster<Trip>();
  /** Ends whose fate will never be known. */
  unconfirmed = 0;
  private isOver = false;
  private flushTimer: NodeJS.Timeout | undefined;
  private flushAtMs = Number.POSITIVE_INFINITY;
  private blockedTimer: NodeJS.Timeout | undefined;
  private readonly trouble: Trouble;

  constructor(private readonly options: CourierOptions) {
    this.trouble = new Trouble(options.logger, 'outcomes were not confirmed', 'warn');
    this.outbox = new Outbox({
      onWaiting: () => this.flushLater(options.flushAfterMs),
      onEnded: options.onEnded,
    });
  }

  /** The arrivals of calls that were sent, and have not been answered. */
  get underWay(): readonly Promise<unknown>[] {
    return [...this.trips].map(({ arrival }) => arrival);
  }

  /** Before a claim. @throws TSQ_REDIS_UNSUITABLE when too many ends can't be written */
  checkRoom(): void {
    const { blockedCount } = this.outbox;
    if (blockedCount <= mostBlocked) return;
    throw new TsqError(
      'TSQ_REDIS_UNSUITABLE',
      `${blockedCount} outcomes can not be written, because a key that Sidekiq uses holds another type: nothing is claimed until they are`,
    );
  }

  /** Sends what waits in the outbox, and these calls behind it; answers their replies. */
  async exchange(redis: Redis, ...more: readonly ScriptCall[]): Promise<readonly ScriptReply[]> {
    this.stopFlushTimer();
    if (this.outbox.isWaiting) faultPoint('settle.before');
    const parcels = this.outbox.take();
    if (this.outbox.isWaiting) this.flushLater(0); // more than one call carries
    const calls = parcels.map((parcel) => this.settleCall(parcel));
    calls.push(...more);
    const trip = { arrival: roundTrip(redis, calls) };
    this.trips.add(trip);
    const replies = await trip.arrival;
    this.trips.delete(trip);
    if (parcels.length > 0) faultPoint('settle.after');
    parcels.forEach((parcel, index) => {
      this.onReply(parcel, replies[index]);
    });
    return replies.slice(parcels.length);
  }

  /** Sends what is left: until all is confirmed but what is blocked, or until the end. Then gives up. */
  async end(redis: Redis | undefined, deadline: AbortSignal, end?: AbortSignal): Promise<void> {
    this.outbox.retryBlocked();
    if (redis !== undefined) {
      await untilSaid(deadline, end, lastWordsMs, (over) => this.sendLastWords(redis, over));
    }
    this.isOver = true;
    this.stopFlushTimer();
    clearInterval(this.blockedTimer);
    this.giveUp();
  }

  private giveUp(): void {
    const { held, released } = this.outbox.abandon();
    if (held + released === 0) return;
    this.unconfirmed += held + released;
    this.options.logger.error(
      { held, released },
      'stopped before Redis confirmed all outcomes. Recovery finds the jobs whose claim is held; those whose claim was released are lost',
    );
  }

  private settleCall({ owner, ends }: Parcel): ScriptCall {
    const { keyspace, dead } = this.options;
    return {
      script: settleScript,
      keys: settleKeys(keyspace, owner),
      args: settleArguments(keyspace, owner, ends, dead),
    };
  }

  private onReply(parcel: Parcel, reply: ScriptReply | undefined): void {
    if (reply !== undefined && 'value' in reply) {
      this.trouble.over();
      const blocked = this.outbox.arrived(parcel, readSettle(reply.value, parcel.ends));
      if (blocked.length > 0) this.retryBlockedLater(blocked);
      return;
    }
    const cause = reply?.error ?? new Error('no reply');
    // settle.lua checks before it writes: what Redis answered with an error was not executed.
    const execution = cause.name === 'ReplyError' ? 'refused' : 'unknown';
    this.unconfirmed += this.outbox.failed(parcel, cause, execution).length;
    if (this.isOver) {
      this.giveUp(); // it was under way when the stop came to its end
      return;
    }
    this.trouble.met(cause, { outcomes: parcel.ends.length });
    this.flushLater(retryAfterMs);
  }

  /** Logged once for each time that it begins: the timer runs as long as some are blocked. */
  private retryBlockedLater(blocked: readonly ClaimedUnit[]): void {
    if (this.blockedTimer !== undefined) return;
    this.options.logger.error(
      { jobs: blocked.length, queues: [...new Set(blocked.map((unit) => unit.queue))] },
      'outcomes can not be written: a key that Sidekiq uses holds another type. They are kept and sent again; move that key away',
    );
    this.blockedTimer = setInterval(() => this.retryBlocked(), this.options.retryBlockedAfterMs);
  }

  private retryBlocked(): void {
    if (this.outbox.blockedCount === 0) {
      clearInterval(this.blockedTimer);
      this.blockedTimer = undefined;
    }
    this.outbox.retryBlocked();
  }

  /** The earliest time that was asked for counts. */
  private flushLater(afterMs: number): void {
    const atMs = performance.now() + afterMs;
    if (this.isOver || this.options.connection() === undefined || atMs >= this.flushAtMs) return;
    this.stopFlushTimer();
    this.flushAtMs = atMs;
    this.flushTimer = setTimeout(() => void this.flush(), afterMs);
  }

  private stopFlushTimer(): void {
    clearTimeout(this.flushTimer);
    this.flushAtMs = Number.POSITIVE_INFINITY;
  }

  private async flush(): Promise<void> {
    this.stopFlushTimer();
    const redis = this.options.connection();
    if (redis === undefined || !this.outbox.isWaiting) return;
    if (redis.status !== 'ready') this.flushLater(retryAfterMs);
    else await this.exchange(redis);
  }

  private async sendLastWords(redis: Redis, end: AbortSignal): Promise<void> {
    while (this.outbox.size > 0 && !end.aborted) await this.sendWaiting(redis, end);
  }

  /** One try, and a pause when it brought nothing: an error is no reason to give up early. */
  private async sendWaiting(redis: Redis, over: AbortSignal): Promise<void> {
    const before = this.outbox.size;
    await unlessOver(Promise.all(this.underWay), over);
    if (redis.status === 'ready' && this.outbox.isWaiting) await unlessOver(this.exchange(redis), over);
    if (this.outbox.size >= before) await pause(retryAfterMs, over);
  }
}

/** Waits for `work`, but not longer than until `over` aborts; late work goes on alone. */
async function unlessOver(work: Promise<unknown>, over: AbortSignal): Promise<void> {
  let giveUp: (() => void) | undefined;
  const isOver = new Promise<void>((resolve) => {
    giveUp = resolve;
    if (over.aborted) resolve();
    over.addEventListener('abort', resolve as () => void, { once: true });
  });
  try {
    await Promise.race([work, isOver]);
  } finally {
    if (giveUp !== undefined) over.removeEventListener('abort', giveUp);
  }
}
