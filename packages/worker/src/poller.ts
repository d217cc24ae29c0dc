/**
 * Moves what is due to its queues: a batch of `retry`, then one of `schedule`, and so on, so that a flood in one does not
 * keep the other. Every process polls; promote.lua sees to it that each entry moves once. The more processes there are, the
 * more rarely each looks, so that the fleet as a whole looks every few seconds, and at odd moments, so that they do not all
 * look at once.
 */
import {
  type Component,
  type DeadSetLimits,
  type Dialect,
  keys,
  type Logger,
  pause,
  sidekiqDeadSet,
  silentLogger,
  Trouble,
} from '@tsq/core';
import { type Redis, ReplyError } from 'ioredis';
import { Lifecycle } from './lifecycle.js';
import { type DueSet, Promotion } from './promotion.js';
import { unlessLate } from './within.js';

export interface PollerOptions {
  /** For its commands alone or shared; not closed by the poller. */
  readonly redis: Redis;
  readonly logger?: Logger;
  /** Of the timestamps it writes. Default `seconds`. */
  readonly dialect?: Dialect;
  /** How often the fleet as a whole looks. Default 5000. */
  readonly averageScheduledPollIntervalMs?: number;
  /** How often this process looks, whatever the size of the fleet. Default: by the fleet's size. */
  readonly pollIntervalAverageMs?: number;
  /** Before the first look. Default: as Sidekiq, 0 to 5 s, and 10 s more when `pollIntervalAverageMs` is not set. */
  readonly initialWaitMs?: number;
  /** Default 100, at most 1000. */
  readonly batchSize?: number;
  /** Where unreadable entries go. Default: Sidekiq's 10,000 entries and 180 days. */
  readonly dead?: DeadSetLimits;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** Since the start of the process. */
export interface PollerCounts {
  readonly promoted: number;
  readonly buried: number;
}

/** At one of the sets, batch by batch. */
interface Look {
  readonly set: DueSet;
  stuck: number;
  isOver: boolean;
}

/** A larger fleet draws from zero on: with many, a short wait of one harms nobody. */
const largeFleet = 10;
const maxBatchSize = 1_000;
/** Of one batch, both ways: some milliseconds of Redis' time and of this process'. */
const maxBatchBytes = 1 << 20;

export class Poller implements Component {
  readonly name = 'poller';
  private readonly lifecycle: Lifecycle;
  private readonly promotion: Promotion;
  private readonly random: () => number;
  private readonly quieted = new AbortController();
  /** For each step of a look, so that none hides or ends the trouble of another. */
  private readonly troubles: Record<DueSet | 'fleet', Trouble>;
  private readonly counted = { promoted: 0, buried: 0 };
  private fleet = 1;
  private polling: Promise<void> = Promise.resolve();

  constructor(private readonly options: PollerOptions) {
    const logger = options.logger ?? silentLogger;
    this.random = options.random ?? Math.random;
    const troubleOf = (set: DueSet) => new Trouble(logger, `Can't move due jobs of '${set}' to their queues`);
    this.troubles = {
      retry: troubleOf(keys.retry),
      schedule: troubleOf(keys.schedule),
      fleet: new Trouble(logger, "Can't count the processes of the fleet"),
    };
    this.promotion = new Promotion(
      options.redis,
      {
        dialect: options.dialect ?? 'seconds',
        batchSize: Math.min(options.batchSize ?? 100, maxBatchSize),
        maxBatchBytes,
        dead: options.dead ?? sidekiqDeadSet,
      },
      logger,
    );
    this.lifecycle = new Lifecycle(this.name, logger, {
      start: () => this.startPolling(),
      quiet: () => this.quietDown(),
      stop: async (_deadline, end) => {
        // A promotion whose reply is late happens, or not, as a whole: leaving it alone loses nothing.
        await unlessLate(this.quietDown(), end);
      },
    });
  }

  get counts(): PollerCounts {
    return { ...this.counted };
  }

  start(): Promise<void> {
    return this.lifecycle.start();
  }

  /** Resolves when the batch under way, if any, is finished. */
  quiet(): Promise<void> {
    return this.lifecycle.quiet();
  }

  stop(deadline: AbortSignal, end?: AbortSignal): Promise<void> {
    return this.lifecycle.stop(deadline, end);
  }

  /** One look at both sets now, until nothing is due. Never rejects: what fails is logged, and tried again at the next. */
  async poll(): Promise<void> {
    let looks: readonly Look[] = [keys.retry, keys.schedule].map((set) => ({ set, stuck: 0, isOver: false }));
    while (looks.length > 0 && !this.quieted.signal.aborted) {
      for (const look of looks) {
        const moved = await this.attempt(this.troubles[look.set], () => this.moveBatch(look));
        if (moved === 'away') return;
        if (moved === 'refused') look.isOver = true;
      }
      looks = looks.filter((look) => !look.isOver);
    }
    await this.attempt(this.troubles.fleet, () => this.countFleet());
  }

  /** `away`: the rest of the look is spared. What Redis only refuses (a wrong type) stops nothing else. */
  private async attempt(trouble: Trouble, step: () => Promise<void>): Promise<'done' | 'refused' | 'away'> {
    try {
      await step();
      trouble.over();
      return 'done';
    } catch (error) {
      trouble.met(error);
      return error instanceof ReplyError ? 'refused' : 'away';
    }
  }

  private async moveBatch(look: Look): Promise<void> {
    const { promoted, buried, stuck, isLast } = await this.promotion.moveBatch(look.set, look.stuck);
    this.counted.promoted += promoted;
    this.counted.buried += buried;
    look.stuck += stuck;
    look.isOver = isLast;
  }

  private async countFleet(): Promise<void> {
    this.fleet = Math.max(1, await this.options.redis.scard(keys.processes));
  }

  /** A fresh draw of how long to wait: Sidekiq's formula (8.0.10), with the fleet's size as of the last look. */
  nextIntervalMs(): number {
    const { pollIntervalAverageMs, averageScheduledPollIntervalMs = 5_000 } = this.options;
    const average = pollIntervalAverageMs ?? this.fleet * averageScheduledPollIntervalMs;
    return this.fleet < largeFleet ? average * (this.random() + 0.5) : average * this.random() * 2;
  }

  private async startPolling(): Promise<void> {
    this.polling = this.run();
  }

  private async quietDown(): Promise<void> {
    this.quieted.abort();
    await this.polling;
  }

  private async run(): Promise<void> {
    const { signal } = this.quieted;
    await pause(this.options.initialWaitMs ?? this.drawInitialWaitMs(), signal);
    while (!signal.aborted) {
      await this.poll();
      await pause(this.nextIntervalMs(), signal);
    }
  }

  private drawInitialWaitMs(): number {
    const forHeartbeats = this.options.pollIntervalAverageMs === undefined ? 10_000 : 0;
    return forHeartbeats + this.random() * 5_000;
  }
}
