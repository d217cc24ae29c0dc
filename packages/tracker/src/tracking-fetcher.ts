/**
 * The Fetcher that loses no job: it takes them with claim.lua and ends them with settle.lua, and it alone speaks to Redis
 * about the claims of this process, on one connection.
 *
 * Nothing is resent by chance, so a reply can be lost. Then, and at each beat, what Redis has noted for this instance is
 * compared with what this process knows: an unknown claim is adopted and run, a missing one is lost.
 */
import {
  type DeadSetLimits,
  type Fetcher,
  keys,
  type Logger,
  openConnection,
  type RedisLocation,
  type Settlement,
  sidekiqDeadSet,
  silentLogger,
  TsqError,
  unavailable,
  whenReady,
} from '@tsq/core';
import type { Redis } from 'ioredis';
import { type ClaimReply, claimArguments, claimKeys, claimScript, readClaim } from './claim.js';
import { ClaimLedger } from './claim-ledger.js';
import { ClaimedUnit } from './claimed-unit.js';
import { Doorbells } from './doorbell.js';
import type { Instance } from './instance.js';
import { type InstanceId, Keyspace, type Member, placeOf } from './keyspace.js';
import { Outbox, type Parcel } from './outbox.js';
import { roundTrip, type ScriptCall, type ScriptReply } from './round-trip.js';
import { readSettle, settleArguments, settleKeys, settleScript } from './settle.js';

export interface TrackingFetcherOptions {
  readonly location: RedisLocation;
  readonly instance: Instance;
  readonly keyspace?: Keyspace;
  readonly dead?: DeadSetLimits;
  readonly logger?: Logger;
  /** How long the end of a claim waits for a claim to ride on. Default 2. */
  readonly flushAfterMs?: number;
  /** A call without an answer for so long has an unknown outcome. Default 5000. */
  readonly commandTimeoutMs?: number;
}

/** Since the start of the process. */
export interface TrackingCounts {
  /** Claims that were gone when they were to be settled, or at a beat. */
  readonly lost: number;
  /** Claims that Redis had noted, but whose reply never came. */
  readonly adopted: number;
  /** Outcomes of unknown fate that were not sent again: requeues of released jobs, and what a stop could not send. */
  readonly unconfirmed: number;
}

/** Between two tries of a flush that failed. */
const retryAfterMs = 250;
/** For the last words of a stop whose deadline has passed. */
const lastWordsMs = 2_000;

export class TrackingFetcher implements Fetcher {
  readonly name = 'fetcher';
  private readonly keyspace: Keyspace;
  private readonly dead: DeadSetLimits;
  private readonly logger: Logger;
  private readonly ledger: ClaimLedger;
  private readonly adopted: ClaimedUnit[] = [];
  private readonly outbox: Outbox;
  private readonly formerIds = new Set<InstanceId>();
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly stopping = new AbortController();
  private readonly counted = { lost: 0, adopted: 0, unconfirmed: 0 };
  private paused: readonly string[] = [];
  private unusable: readonly string[] = [];
  private inDoubt = false;
  private flushTimer: NodeJS.Timeout | undefined;
  private stopped: Promise<void> | undefined;
  private redis: Redis | undefined;
  private bells: Doorbells | undefined;

  constructor(private readonly options: TrackingFetcherOptions) {
    this.keyspace = options.keyspace ?? new Keyspace();
    this.ledger = new ClaimLedger(this.keyspace);
    this.dead = options.dead ?? sidekiqDeadSet;
    this.logger = options.logger ?? silentLogger;
    this.outbox = new Outbox({
      onWaiting: () => this.flushLater(options.flushAfterMs ?? 2),
      onEnded: (unit, reply) => this.onEnded(unit, reply),
    });
    options.instance.onRenewal((_fresh, lapsed) => this.formerIds.add(lapsed));
  }

  get counts(): TrackingCounts {
    return { ...this.counted };
  }

  /** Claims that this process holds, by its own books. */
  get holding(): number {
    return this.ledger.size;
  }

  async start(): Promise<void> {
    if (this.stopping.signal.aborted)
      throw new TsqError('TSQ_COMPONENT_STOPPED', 'a fetcher lives once: make a new one');
    const { location, instance, commandTimeoutMs = 5_000 } = this.options;
    this.redis ??= openConnection(location, {
      name: `tsq:${instance.id}:claims`,
      commandTimeoutMs,
      logger: this.logger,
    });
    this.bells ??= new Doorbells({
      location,
      connectionName: `tsq:${instance.id}:doorbell`,
      logger: this.logger,
    });
    try {
      await whenReady(this.redis);
    } catch (error) {
      throw new TsqError('TSQ_COMPONENT_STOPPED', 'the fetcher was stopped while it started', {
        cause: error,
      });
    }
  }

  async quiet(): Promise<void> {
    this.bells?.wake();
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.stopped ??= this.end(deadline);
    return this.stopped;
  }

  async fetch(queues: readonly string[], max: number): Promise<readonly ClaimedUnit[]> {
    const redis = this.connection();
    await whenReady(redis, this.options.commandTimeoutMs ?? 5_000);
    if (this.inDoubt) await this.reconcile();
    if (this.adopted.length > 0) return this.adopted.splice(0, max);
    if (max < 1 || queues.length === 0) return [];
    return await this.claim(redis, queues, max);
  }

  async wait(queues: readonly string[], signal: AbortSignal): Promise<void> {
    if (this.adopted.length > 0 || this.bells === undefined) return;
    const silent = [...this.paused, ...this.unusable];
    if (silent.length === 0) return await this.bells.wait(queues, signal);
    // A paused queue that holds jobs would ring without end; that it is unpaused is found by timer.
    const others = queues.filter((queue) => !silent.includes(queue));
    const timer = AbortSignal.timeout(1_000);
    await this.bells.wait(others, AbortSignal.any([signal, timer]));
  }

  /**
   * Compares Redis' books with ours: an unknown claim is adopted, a missing one is lost. Before the start and after the
   * stop it does nothing.
   * @throws TSQ_REDIS_UNAVAILABLE
   */
  async reconcile(): Promise<void> {
    const { redis } = this;
    if (redis === undefined || this.stopping.signal.aborted) return; // it holds nothing yet, or ends what it holds
    try {
      await this.reconcileCurrent(redis, this.options.instance.id);
      for (const former of this.formerIds) await this.reconcileFormer(redis, former);
      this.inDoubt = false;
    } catch (error) {
      throw unavailable('the claims of this instance could not be read', error);
    }
  }

  private async claim(redis: Redis, queues: readonly string[], max: number): Promise<readonly ClaimedUnit[]> {
    const id = this.options.instance.id;
    const call: ScriptCall = {
      script: claimScript,
      keys: claimKeys(this.keyspace, id, queues),
      args: claimArguments(this.keyspace, id, queues, max),
    };
    const reply = await this.exchange(redis, call);
    if (reply === undefined || 'error' in reply) {
      this.inDoubt = true;
      throw unavailable('a claim got no answer; if it took jobs, they will be found', reply?.error);
    }
    const claimed = readClaim(reply.value, queues);
    if (claimed === 'unregistered') {
      throw new TsqError(
        'TSQ_INSTANCE_UNREGISTERED',
        `instance ${id} is not registered: it waits for its next beat`,
      );
    }
    this.notePassedOver(claimed);
    return claimed.jobs.map((job) => this.ledger.hold(new ClaimedUnit(id, job, this.outbox)));
  }

  /** Sends what waits in the outbox, and one call more behind it; answers that call's reply. */
  private async exchange(redis: Redis, call?: ScriptCall): Promise<ScriptReply | undefined> {
    clearTimeout(this.flushTimer);
    this.flushTimer = undefined;
    const parcels = this.outbox.take();
    const calls = parcels.map((parcel) => this.settleCall(parcel));
    if (call !== undefined) calls.push(call);
    const trip = roundTrip(redis, calls);
    this.underWay.add(trip);
    const replies = await trip;
    this.underWay.delete(trip);
    parcels.forEach((parcel, index) => {
      this.onParcelReply(parcel, replies[index]);
    });
    return call === undefined ? undefined : replies[parcels.length];
  }

  private settleCall({ owner, ends }: Parcel): ScriptCall {
    return {
      script: settleScript,
      keys: settleKeys(this.keyspace, owner),
      args: settleArguments(this.keyspace, owner, ends, this.dead),
    };
  }

  private onParcelReply(parcel: Parcel, reply: ScriptReply | undefined): void {
    if (reply !== undefined && 'value' in reply) {
      const blocked = this.outbox.arrived(parcel, readSettle(reply.value, parcel.ends));
      if (blocked.length === 0) return;
      this.logger.error(
        { jobs: blocked.length, queues: [...new Set(blocked.map((unit) => unit.queue))] },
        'outcomes could not be written: a key that Sidekiq uses holds another type; they are kept and sent again',
      );
      this.flushLater(5_000);
      return;
    }
    const cause = reply?.error ?? new Error('no reply');
    const dropped = this.outbox.failed(parcel, cause);
    this.counted.unconfirmed += dropped.length;
    this.logger.warn(
      { outcomes: parcel.ends.length, err: cause },
      'outcomes were not confirmed; they are sent again',
    );
    this.flushLater(retryAfterMs);
  }

  private flushLater(afterMs: number): void {
    if (this.flushTimer !== undefined || this.redis === undefined) return;
    this.flushTimer = setTimeout(() => void this.flush(), afterMs);
  }

  private async flush(): Promise<void> {
    this.flushTimer = undefined;
    const { redis } = this;
    if (redis === undefined || !this.outbox.isWaiting) return;
    if (redis.status !== 'ready') this.flushLater(retryAfterMs);
    else await this.exchange(redis);
  }

  private async end(deadline: AbortSignal): Promise<void> {
    this.stopping.abort();
    this.bells?.close();
    if (this.redis !== undefined) await this.sendLastWords(this.redis, deadline);
    clearTimeout(this.flushTimer);
    this.redis?.disconnect();
    const abandoned = this.outbox.abandon();
    if (abandoned === 0) return;
    this.counted.unconfirmed += abandoned;
    this.logger.error(
      { outcomes: abandoned },
      'stopped before Redis confirmed all outcomes; recovery will find the claims',
    );
  }

  private async sendLastWords(redis: Redis, deadline: AbortSignal): Promise<void> {
    const end = performance.now() + lastWordsMs;
    let left = Number.POSITIVE_INFINITY;
    while (this.outbox.size > 0) {
      const isLate = deadline.aborted && performance.now() > end;
      // No progress: what is left is blocked by a key of the wrong type, and more tries change nothing.
      if (isLate || (this.underWay.size === 0 && redis.status === 'ready' && this.outbox.size >= left))
        return;
      left = this.outbox.size;
      try {
        await Promise.all([...this.underWay]);
        await whenReady(redis, lastWordsMs);
        if (this.outbox.isWaiting) await this.exchange(redis);
      } catch (error) {
        this.logger.warn({ err: error }, 'Redis is away while the last outcomes are sent');
        if (deadline.aborted) return;
      }
    }
  }

  private onEnded(unit: ClaimedUnit, reply: Settlement): void {
    this.ledger.strike(unit);
    if (reply === 'lost') this.lose(unit);
  }

  private lose(unit: ClaimedUnit): void {
    this.ledger.strike(unit);
    this.counted.lost += 1;
    this.logger.error(
      { member: unit.member, queue: unit.queue },
      'a claim is lost: another instance owns the job by now',
    );
    const message = `instance ${unit.owner} was declared dead while it worked on a job of queue "${unit.queue}": another instance owns the job now`;
    unit.lose(new TsqError('TSQ_CLAIM_LOST', message));
  }

  private async reconcileCurrent(redis: Redis, id: InstanceId): Promise<void> {
    const { missing, unknown } = await this.ledger.compare(redis, id, this.underWay);
    for (const unit of missing) this.lose(unit);
    for (const member of unknown) await this.adopt(redis, id, member);
  }

  /** Of an id that was declared dead nothing is adopted: recovery puts it back. */
  private async reconcileFormer(redis: Redis, id: InstanceId): Promise<void> {
    const { missing, noted } = await this.ledger.compare(redis, id, this.underWay);
    for (const unit of missing) this.lose(unit);
    if (noted === 0 && this.ledger.claimsOf(id).length === 0) this.formerIds.delete(id);
  }

  private async adopt(redis: Redis, id: InstanceId, member: Member): Promise<void> {
    const bytes = await redis.getBuffer(this.keyspace.job(member));
    // It has ended, or was put back, since the books were read.
    if (bytes === null || this.ledger.has(member)) return;
    this.counted.adopted += 1;
    this.logger.warn({ member }, 'adopted a claim whose reply was lost');
    const job = { ...placeOf(id, member), bytes };
    this.adopted.push(this.ledger.hold(new ClaimedUnit(id, job, this.outbox)));
    this.bells?.wake();
  }

  private notePassedOver({ paused, unusable }: ClaimReply): void {
    const fresh = unusable.filter((queue) => !this.unusable.includes(queue));
    for (const queue of fresh) {
      this.logger.error(
        { key: keys.queue(queue) },
        'the key of a queue holds something else than a list; it is passed over',
      );
    }
    this.paused = paused;
    this.unusable = unusable;
  }

  private connection(): Redis {
    if (this.redis !== undefined && !this.stopping.signal.aborted) return this.redis;
    throw new TsqError(
      'TSQ_COMPONENT_STOPPED',
      'the fetcher does not run: it was not started, or was stopped',
    );
  }
}
