/**
 * The Fetcher that loses no job: it takes them with claim.lua and ends them with settle.lua, and it alone speaks to Redis
 * about the claims of this process, on one connection. What a claim brought goes through the sieve before it is given out.
 *
 * Nothing is resent by chance, so a reply can be lost. Then, and at each beat, the books are compared (reconciliation.ts).
 * Those books are the instance's, so a process has one such fetcher, however many capsules ask it for jobs; what it notes of
 * queues it notes for each, because each call names its own.
 */
import {
  type Fetcher,
  faultPoint,
  type Logger,
  openConnection,
  sidekiqDeadSet,
  silentLogger,
  TsqError,
  unavailable,
  whenReady,
} from '@tsq/core';
import type { Redis } from 'ioredis';
import { CancelledClaims } from './cancelled-claims.js';
import { claimCall, readClaim } from './claim.js';
import { ClaimLedger } from './claim-ledger.js';
import { ClaimSieve } from './claim-sieve.js';
import { ClaimSize } from './claim-size.js';
import { ClaimedUnit } from './claimed-unit.js';
import { Courier } from './courier.js';
import { Doorbells } from './doorbell.js';
import { Keyspace } from './keyspace.js';
import { KnownClaim } from './known-claim.js';
import { QueueNotes } from './queue-notes.js';
import { Reconciliation } from './reconciliation.js';
import { Suspects, suspectsCall } from './suspects.js';
import type { TrackingCounts, TrackingFetcherOptions } from './tracking-fetcher-options.js';

export class TrackingFetcher implements Fetcher {
  readonly name = 'fetcher';
  private readonly keyspace: Keyspace;
  private readonly logger: Logger;
  private readonly ledger: ClaimLedger;
  private readonly courier: Courier;
  private readonly books: Reconciliation;
  private readonly queues: QueueNotes;
  private readonly suspects: Suspects;
  private readonly known: KnownClaim | undefined;
  private readonly cancelled: CancelledClaims;
  private readonly sieve: ClaimSieve;
  private readonly size = new ClaimSize();
  private readonly stopping = new AbortController();
  private stopped: Promise<void> | undefined;
  private redis: Redis | undefined;
  private bells: Doorbells | undefined;

  /** @throws TSQ_CONFIG_INVALID */
  constructor(private readonly options: TrackingFetcherOptions) {
    const { keyspace = new Keyspace(), logger = silentLogger, onlyKnown } = options;
    this.keyspace = keyspace;
    this.logger = logger;
    this.ledger = new ClaimLedger(keyspace);
    this.queues = new QueueNotes(logger);
    this.known = onlyKnown === undefined ? undefined : new KnownClaim(onlyKnown, logger);
    this.cancelled = new CancelledClaims(keyspace.namespace, logger);
    this.suspects = new Suspects(keyspace, () => this.bells?.wake());
    const { known, cancelled, suspects, ledger } = this;
    this.sieve = new ClaimSieve({ logger, known, cancelled, suspects });
    const courier = new Courier({
      keyspace,
      dead: options.dead ?? sidekiqDeadSet,
      logger,
      flushAfterMs: options.flushAfterMs ?? 2,
      retryBlockedAfterMs: options.retryBlockedAfterMs ?? 5_000,
      connection: () => this.redis,
      onEnded: (unit, reply) => this.books.ended(unit, reply),
    });
    this.courier = courier;
    const onAdopted = (unit: ClaimedUnit) => this.onAdopted(unit);
    const { onLost } = options;
    this.books = new Reconciliation({ keyspace, logger, ledger, courier, onAdopted, onLost });
    options.instance.onRenewal((_fresh, lapsed) => this.books.lapsed(lapsed));
  }

  get counts(): TrackingCounts {
    const { lost, adopted } = this.books;
    const { unconfirmed } = this.courier;
    return { lost, adopted, unconfirmed, cancelled: this.cancelled.dropped };
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
    return this.ledger.size > 0 || this.books.inDoubt || underWay.length > 0 || unconfirmed > 0;
  }

  async start(): Promise<void> {
    if (this.stopping.signal.aborted)
      throw new TsqError('TSQ_COMPONENT_STOPPED', 'a fetcher lives once: make a new one');
    const { location, instance, report, commandTimeoutMs = 5_000 } = this.options;
    this.redis ??= openConnection(location, {
      name: `tsq:${instance.id}:claims`,
      commandTimeoutMs,
      logger: this.logger,
      report,
    });
    this.bells ??= new Doorbells({
      location,
      connectionName: `tsq:${instance.id}:doorbell`,
      logger: this.logger,
      report,
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
    this.bells?.wake();
    this.sieve.quiet();
  }

  stop(deadline: AbortSignal, end?: AbortSignal): Promise<void> {
    this.stopped ??= this.end(deadline, end);
    return this.stopped;
  }

  async fetch(queues: readonly string[], max: number): Promise<readonly ClaimedUnit[]> {
    const redis = this.connection();
    await whenReady(redis, this.options.commandTimeoutMs ?? 5_000);
    if (this.books.inDoubt) await this.reconcile();
    const adopted = await this.takeAdopted(redis, queues, max);
    if (adopted.length > 0) return adopted;
    const suspect = max > 0 ? await this.sieve.nextSuspect(redis, queues) : undefined;
    if (suspect !== undefined) return [suspect];
    this.courier.checkRoom();
    if (max < 1 || queues.length === 0 || this.suspects.isFull) return [];
    return await this.claim(redis, queues, max);
  }

  async wait(queues: readonly string[], signal: AbortSignal): Promise<void> {
    if (this.bells === undefined || this.sieve.hasUnsifted(queues) || this.suspects.isReady(queues)) return;
    if (this.suspects.isFull) return await this.bells.wait([], signal, 'until-rung');
    const ringing = this.queues.withBell(queues);
    const isEach = ringing.length === queues.length;
    await this.bells.wait(
      ringing,
      signal,
      isEach ? 'until-rung' : { longestMs: this.queues.pauseMs(queues) },
    );
  }

  /**
   * Compares Redis' books with ours: an unknown claim is adopted, a missing one is lost. Before the start and after the
   * stop it does nothing.
   * @throws TSQ_REDIS_UNAVAILABLE
   */
  async reconcile(): Promise<void> {
    const { redis } = this;
    if (redis === undefined || this.stopping.signal.aborted) return; // it holds nothing yet, or ends what it holds
    await this.books.run(redis, this.options.instance.id);
  }

  private async claim(redis: Redis, queues: readonly string[], max: number): Promise<readonly ClaimedUnit[]> {
    const { keyspace, known, ledger, courier } = this;
    const { id } = this.options.instance;
    const { lastBatch } = ledger;
    const limit = this.size.limit(max);
    const call =
      known?.call(keyspace, id, queues, limit, lastBatch) ??
      claimCall(keyspace, id, queues, limit, lastBatch);
    faultPoint('claim.before');
    const [reply, suspects] = await courier.exchange(redis, call, suspectsCall(keyspace, id, lastBatch));
    faultPoint('claim.after');
    if (reply === undefined || 'error' in reply) {
      this.books.doubt();
      throw unavailable('a claim got no answer; if it took jobs, they will be found', reply?.error);
    }
    const claimed = known?.read(reply.value, queues, limit) ?? readClaim(reply.value, queues);
    if (claimed === 'unregistered') return this.refused(id);
    this.size.note(claimed.jobs);
    const ours = this.sieve.ours(
      claimed.jobs.map((job) => ledger.hold(new ClaimedUnit(id, job, courier.outbox))),
    );
    this.queues.note(queues, claimed, ours);
    return await this.sieve.sift(redis, ours, claimed, suspects);
  }

  private refused(id: string): never {
    this.options.onUnregistered?.();
    throw new TsqError(
      'TSQ_INSTANCE_UNREGISTERED',
      `instance ${id} is not registered: it waits for its next beat`,
    );
  }

  private async takeAdopted(
    redis: Redis,
    queues: readonly string[],
    max: number,
  ): Promise<readonly ClaimedUnit[]> {
    if (!this.sieve.hasUnsifted(queues)) return [];
    const call = suspectsCall(this.keyspace, this.options.instance.id, 0);
    const [suspects] = await this.courier.exchange(redis, call);
    return await this.sieve.siftLate(redis, queues, max, suspects);
  }

  private onAdopted(unit: ClaimedUnit): void {
    this.sieve.adopt(unit);
    this.bells?.wake();
  }

  private async end(deadline: AbortSignal, end: AbortSignal | undefined): Promise<void> {
    this.stopping.abort();
    this.bells?.close();
    this.sieve.giveBackSuspects();
    await this.courier.end(this.redis, deadline, end);
    this.redis?.disconnect();
  }

  private connection(): Redis {
    if (this.redis !== undefined && !this.stopping.signal.aborted) return this.redis;
    throw new TsqError(
      'TSQ_COMPONENT_STOPPED',
      'the fetcher does not run: it was not started, or was stopped',
    );
  }
}
