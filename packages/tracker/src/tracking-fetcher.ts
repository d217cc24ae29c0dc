/**
 * The Fetcher that loses no job: it takes them with claim.lua and ends them with settle.lua, and it alone speaks to Redis
 * about the claims of this process, on one connection.
 *
 * Nothing is resent by chance, so a reply can be lost. Then, and at each beat, what Redis has noted for this instance is
 * compared with what this process knows: an unknown claim is adopted and run, a missing one is lost.
 *
 * Those books are the instance's, so a process has one such fetcher, however many capsules ask it for jobs; what it notes of
 * queues it notes for each, because each call names its own.
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
import { CancelledClaims } from './cancelled-claims.js';
import { type ClaimReply, claimArguments, claimKeys, claimScript, readClaim } from './claim.js';
import { ClaimLedger } from './claim-ledger.js';
import { ClaimedUnit } from './claimed-unit.js';
import { Courier } from './courier.js';
import { Crowds } from './crowds.js';
import { Doorbells } from './doorbell.js';
import type { Instance } from './instance.js';
import { type InstanceId, Keyspace, type Member, placeOf } from './keyspace.js';
import { KnownClaim, type OnlyKnown } from './known-claim.js';
import type { ScriptCall, ScriptReply } from './round-trip.js';
import { Suspects, suspectsCall } from './suspects.js';

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
  /** Between two tries to write outcomes whose target key holds another type. Default 5000. */
  readonly retryBlockedAfterMs?: number;
  /** Called when a claim was refused, because Redis does not know the instance: only a beat can change that. */
  readonly onUnregistered?: () => void;
  /** Take only jobs of these classes, and leave the others to who else works on the queues. Default: take all. */
  readonly onlyKnown?: OnlyKnown;
}

/** Since the start of the process. */
export interface TrackingCounts {
  /** Claims that were gone when they were to be settled, or at a beat. */
  readonly lost: number;
  /** Claims that Redis had noted, but whose reply never came. */
  readonly adopted: number;
  /** Outcomes of unknown fate that were not sent again: requeues of released jobs, and what a stop could not send. */
  readonly unconfirmed: number;
  /** Jobs that were cancelled while they waited, and dropped when they came up. */
  readonly cancelled: number;
}

/** With so many outcomes that can't be written nothing more is claimed: the queues are the better place to wait. */
const mostBlocked = 1_000;

export class TrackingFetcher implements Fetcher {
  readonly name = 'fetcher';
  private readonly keyspace: Keyspace;
  private readonly logger: Logger;
  private readonly ledger: ClaimLedger;
  private readonly adopted: ClaimedUnit[] = [];
  private readonly courier: Courier;
  private readonly suspects: Suspects;
  private readonly formerIds = new Set<InstanceId>();
  private readonly stopping = new AbortController();
  private readonly counted = { lost: 0, adopted: 0 };
  private readonly paused = new Set<string>();
  private readonly unusable = new Set<string>();
  private readonly crowds = new Crowds();
  private readonly known: KnownClaim | undefined;
  private readonly cancelled: CancelledClaims;
  /** Claims without an answer, and how many of them the books have been compared after. */
  private doubts = 0;
  private settledDoubts = 0;
  private isQuiet = false;
  private stopped: Promise<void> | undefined;
  private redis: Redis | undefined;
  private bells: Doorbells | undefined;

  /** @throws TSQ_CONFIG_INVALID */
  constructor(private readonly options: TrackingFetcherOptions) {
    this.keyspace = options.keyspace ?? new Keyspace();
    this.ledger = new ClaimLedger(this.keyspace);
    this.logger = options.logger ?? silentLogger;
    this.cancelled = new CancelledClaims(this.keyspace.namespace, this.logger);
    if (options.onlyKnown !== undefined) this.known = new KnownClaim(options.onlyKnown, this.logger);
    this.suspects = new Suspects(this.keyspace, () => this.bells?.wake());
    this.courier = new Courier({
      keyspace: this.keyspace,
      dead: options.dead ?? sidekiqDeadSet,
      logger: this.logger,
      flushAfterMs: options.flushAfterMs ?? 2,
      retryBlockedAfterMs: options.retryBlockedAfterMs ?? 5_000,
      connection: () => this.redis,
      onEnded: (unit, reply) => this.onEnded(unit, reply),
    });
    options.instance.onRenewal((_fresh, lapsed) => this.formerIds.add(lapsed));
  }

  get counts(): TrackingCounts {
    return { ...this.counted, unconfirmed: this.courier.unconfirmed, cancelled: this.cancelled.dropped };
  }

  /** Claims that this process holds, by its own books. */
  get holding(): number {
    return this.ledger.size;
  }

  /**
   * Redis has not confirmed how some claim ended, or whether the last one took jobs. After a stop: recovery finds what is
   * claimed still.
   */
  get isUnconfirmed(): boolean {
    const { unconfirmed, underWay } = this.courier;
    return this.ledger.size > 0 || this.inDoubt || underWay.size > 0 || unconfirmed > 0;
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

  /** Nobody fetches any more: what was adopted, and is from now on, goes back to its queue. */
  async quiet(): Promise<void> {
    this.isQuiet = true;
    this.bells?.wake();
    for (const unit of this.adopted.splice(0)) this.giveBack(unit);
    this.giveBackSuspects();
  }

  stop(deadline: AbortSignal, end?: AbortSignal): Promise<void> {
    this.stopped ??= this.end(deadline, end);
    return this.stopped;
  }

  async fetch(queues: readonly string[], max: number): Promise<readonly ClaimedUnit[]> {
    const redis = this.connection();
    await whenReady(redis, this.options.commandTimeoutMs ?? 5_000);
    if (this.inDoubt) await this.reconcile();
    const adopted = await this.takeAdopted(redis, queues, max);
    if (adopted.length > 0) return adopted;
    const suspect = max > 0 ? await this.startSuspect(redis, queues) : undefined;
    if (suspect !== undefined) return [suspect];
    if (this.courier.outbox.blockedCount > mostBlocked)
      throw tooManyBlocked(this.courier.outbox.blockedCount);
    if (max < 1 || queues.length === 0 || this.suspects.isFull) return [];
    return await this.claim(redis, queues, max);
  }

  async wait(queues: readonly string[], signal: AbortSignal): Promise<void> {
    if (this.bells === undefined || this.adopted.some((unit) => queues.includes(unit.queue))) return;
    if (this.suspects.isReady(queues)) return;
    if (this.suspects.isFull) return await this.bells.wait([], signal, 'until-rung');
    const isSilent = (queue: string) =>
      this.paused.has(queue) || this.unusable.has(queue) || this.crowds.has(queue);
    // A paused queue that holds jobs would ring without end; that it is unpaused is found by timer.
    const others = queues.filter((queue) => !isSilent(queue));
    const longestMs = this.crowds.pauseMs(queues);
    await this.bells.wait(others, signal, others.length === queues.length ? 'until-rung' : { longestMs });
  }

  /**
   * Compares Redis' books with ours: an unknown claim is adopted, a missing one is lost. Before the start and after the
   * stop it does nothing.
   * @throws TSQ_REDIS_UNAVAILABLE
   */
  async reconcile(): Promise<void> {
    const { redis } = this;
    if (redis === undefined || this.stopping.signal.aborted) return; // it holds nothing yet, or ends what it holds
    // A claim that fails meanwhile is not in what is read now.
    const { doubts } = this;
    try {
      await this.reconcileCurrent(redis, this.options.instance.id);
      for (const former of this.formerIds) await this.reconcileFormer(redis, former);
      this.settledDoubts = Math.max(this.settledDoubts, doubts);
    } catch (error) {
      throw unavailable('the claims of this instance could not be read', error);
    }
  }

  private get inDoubt(): boolean {
    return this.doubts > this.settledDoubts;
  }

  private async claim(redis: Redis, queues: readonly string[], max: number): Promise<readonly ClaimedUnit[]> {
    const id = this.options.instance.id;
    const call =
      this.known?.call(this.keyspace, id, queues, max, this.ledger.lastBatch) ??
      this.plainClaim(id, queues, max);
    const [reply, suspects] = await this.courier.exchange(redis, call, suspectsCall(this.keyspace, id));
    if (reply === undefined || 'error' in reply) {
      this.doubts += 1;
      throw unavailable('a claim got no answer; if it took jobs, they will be found', reply?.error);
    }
    const claimed = this.known?.read(reply.value, queues, max) ?? readClaim(reply.value, queues);
    if (claimed === 'unregistered') {
      this.options.onUnregistered?.();
      throw new TsqError(
        'TSQ_INSTANCE_UNREGISTERED',
        `instance ${id} is not registered: it waits for its next beat`,
      );
    }
    this.notePassedOver(queues, claimed);
    const units = claimed.jobs.map((job) => this.ledger.hold(new ClaimedUnit(id, job, this.courier.outbox)));
    const ours = this.ours(units);
    if (this.known !== undefined) {
      const back = ours.length === units.length ? [] : units.filter((unit) => !ours.includes(unit));
      this.crowds.note(queues, [...claimed.crowded, ...back.map((unit) => unit.queue)], ours.length);
    }
    const others = this.sift(ours, suspects);
    return claimed.hasCancellations ? await this.cancelled.without(redis, others) : others;
  }

  /**
   * Only those of the queues that the caller works on: it has slots of its own for them. Among them may be suspects, for
   * nobody has looked when the reply was lost.
   */
  private async takeAdopted(
    redis: Redis,
    queues: readonly string[],
    max: number,
  ): Promise<readonly ClaimedUnit[]> {
    const isWanted = (unit: ClaimedUnit) => queues.includes(unit.queue);
    if (!this.adopted.some(isWanted)) return [];
    const call = suspectsCall(this.keyspace, this.options.instance.id);
    const [suspects] = await this.courier.exchange(redis, call);
    const taken = this.adopted.filter(isWanted).slice(0, max);
    for (const unit of taken) this.adopted.splice(this.adopted.indexOf(unit), 1);
    return this.sift(this.ours(taken.filter((unit) => !unit.isLost)), suspects);
  }

  private sift(units: readonly ClaimedUnit[], suspects: ScriptReply | undefined): readonly ClaimedUnit[] {
    if (suspects === undefined || 'error' in suspects) return this.siftLater(units, suspects?.error);
    const others = this.suspects.sift(units, suspects.value as Buffer[]); // the shape that the script's header gives
    if (this.isQuiet) this.giveBackSuspects();
    return others;
  }

  private siftLater(units: readonly ClaimedUnit[], cause: Error | undefined): readonly ClaimedUnit[] {
    if (cause?.name !== 'ReplyError') {
      this.adopted.push(...units);
      throw unavailable(
        'it could not be seen which jobs were recovered before; they are looked at again',
        cause,
      );
    }
    // A key of the wrong type: all that is lost is that suspects run side by side.
    this.logger.warn({ err: cause }, 'it can not be seen which jobs were recovered before');
    return units;
  }

  private async startSuspect(redis: Redis, queues: readonly string[]): Promise<ClaimedUnit | undefined> {
    try {
      return await this.suspects.start(redis, queues);
    } catch (error) {
      throw unavailable('the start of a job that was recovered before could not be noted', error);
    }
  }

  private giveBackSuspects(): void {
    for (const unit of this.suspects.takeAll().toReversed()) this.giveBack(unit);
  }

  private plainClaim(id: InstanceId, queues: readonly string[], max: number): ScriptCall {
    return {
      script: claimScript,
      keys: claimKeys(this.keyspace, id, queues),
      args: claimArguments(this.keyspace, id, queues, max, this.ledger.lastBatch),
    };
  }

  /** What only looked like ours goes back, the newest first, and the next claim leaves it where it is. */
  private ours(units: readonly ClaimedUnit[]): readonly ClaimedUnit[] {
    const { known } = this;
    if (known === undefined) return units;
    const foreign = units.filter((unit) => !known.accepts(unit.bytes));
    if (foreign.length === 0) return units;
    for (const unit of foreign.toReversed()) this.giveBack(unit);
    return units.filter((unit) => !foreign.includes(unit));
  }

  private async end(deadline: AbortSignal, end: AbortSignal | undefined): Promise<void> {
    this.stopping.abort();
    this.bells?.close();
    this.giveBackSuspects();
    await this.courier.end(this.redis, deadline, end);
    this.redis?.disconnect();
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
    const { missing, unknown } = await this.ledger.compare(redis, id, this.courier.underWay);
    for (const unit of missing) this.lose(unit);
    for (const member of unknown) await this.adopt(redis, id, member);
  }

  /** Of an id that was declared dead nothing is adopted: recovery puts it back. */
  private async reconcileFormer(redis: Redis, id: InstanceId): Promise<void> {
    const { missing, noted } = await this.ledger.compare(redis, id, this.courier.underWay);
    for (const unit of missing) this.lose(unit);
    if (noted === 0 && this.ledger.claimsOf(id).length === 0) this.formerIds.delete(id);
  }

  private async adopt(redis: Redis, id: InstanceId, member: Member): Promise<void> {
    const bytes = await redis.getBuffer(this.keyspace.job(member));
    // It has ended, or was put back, since the books were read.
    if (bytes === null || this.ledger.has(member)) return;
    this.counted.adopted += 1;
    this.logger.warn({ member }, 'adopted a claim whose reply was lost');
    const unit = this.ledger.hold(
      new ClaimedUnit(id, { ...placeOf(id, member), bytes }, this.courier.outbox),
    );
    if (this.isQuiet) this.giveBack(unit);
    else this.adopted.push(unit);
    this.bells?.wake();
  }

  private giveBack(unit: ClaimedUnit): void {
    unit.settle({ kind: 'requeue' }).catch((error: unknown) => {
      this.logger.error({ member: unit.member, err: error }, 'a job could not be given back');
    });
  }

  private notePassedOver(asked: readonly string[], { paused, unusable }: ClaimReply): void {
    for (const queue of unusable) {
      if (this.unusable.has(queue)) continue;
      this.logger.error(
        { key: keys.queue(queue) },
        'the key of a queue holds something else than a list; it is passed over',
      );
    }
    noteFor(this.paused, asked, paused);
    noteFor(this.unusable, asked, unusable);
  }

  private connection(): Redis {
    if (this.redis !== undefined && !this.stopping.signal.aborted) return this.redis;
    throw new TsqError(
      'TSQ_COMPONENT_STOPPED',
      'the fetcher does not run: it was not started, or was stopped',
    );
  }
}

/** Of the queues that were asked, now these; what was noted of others stays. Called for each claim. */
function noteFor(noted: Set<string>, asked: readonly string[], now: readonly string[]): void {
  if (noted.size === 0 && now.length === 0) return;
  for (const queue of asked) noted.delete(queue);
  for (const queue of now) noted.add(queue);
}

function tooManyBlocked(count: number): TsqError {
  return new TsqError(
    'TSQ_REDIS_UNSUITABLE',
    `${count} outcomes can not be written, because a key that Sidekiq uses holds another type: nothing is claimed until they are`,
  );
}
