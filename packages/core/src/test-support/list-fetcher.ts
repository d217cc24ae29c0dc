/**
 * The plainest Fetcher: jobs are popped with RPOP, and then only this process knows of them. For tests of the runtime
 * without the tracker. Not crash-safe, and not for production: `TrackingFetcher` of @tsq/tracker is.
 *
 * It keeps the rest of the contract: an outcome is written sooner or later, however long Redis is away, unless the
 * fetcher is stopped before.
 */
import type { Redis } from 'ioredis';
import { openConnection, unavailable, whenReady } from '../connection.js';
import { TsqError } from '../errors.js';
import { keys } from '../keys.js';
import { type Logger, silentLogger } from '../logger.js';
import type { RedisLocation } from '../redis-location.js';
import type { Fetcher, Outcome, Settlement, UnitOfWork } from '../unit-of-work.js';

/** Between two looks of `wait`, and two tries to write an outcome. */
const lookEachMs = 10;
/** `wait` takes no longer. */
const looks = 100;

export class ListFetcher implements Fetcher {
  readonly name = 'list-fetcher';
  private redis: Redis | undefined;
  private isStopped = false;
  private readonly unwritten = new Set<Promise<unknown>>();
  private deadline = new AbortController().signal;

  constructor(
    private readonly location: RedisLocation,
    private readonly logger?: Logger,
  ) {}

  async start(): Promise<void> {
    if (this.isStopped) throw new TsqError('TSQ_COMPONENT_STOPPED', 'a fetcher lives once: make a new one');
    this.redis ??= openConnection(this.location, {
      name: 'list-fetcher',
      logger: this.logger ?? silentLogger,
    });
    try {
      await whenReady(this.redis);
    } catch (cause) {
      throw new TsqError('TSQ_COMPONENT_STOPPED', 'the fetcher was stopped while it started', { cause });
    }
  }

  async quiet(): Promise<void> {
    // Nothing of its own takes work: who asks it to fetch stops asking.
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.isStopped = true;
    this.deadline = deadline;
    await Promise.allSettled([...this.unwritten]);
    this.redis?.disconnect();
    this.redis = undefined;
  }

  async fetch(queues: readonly string[], max: number): Promise<readonly UnitOfWork[]> {
    const units: UnitOfWork[] = [];
    try {
      const redis = this.connection();
      const paused = new Set(await redis.smembers(keys.paused));
      for (const queue of queues) {
        if (units.length >= max) break;
        if (paused.has(queue)) continue;
        const popped = await redis.rpopBuffer(keys.queue(queue), max - units.length);
        for (const bytes of popped ?? []) units.push(this.unit(queue, bytes));
      }
    } catch (error) {
      // What was popped before the failure is in nobody's hands but ours.
      if (units.length === 0) throw error instanceof TsqError ? error : unavailable('RPOP', error);
    }
    return units;
  }

  async wait(queues: readonly string[], signal: AbortSignal): Promise<void> {
    for (let look = 0; look < looks && !signal.aborted && !this.isStopped; look += 1) {
      if (await this.hasJob(queues)) return;
      await sleep(signal);
    }
  }

  private async hasJob(queues: readonly string[]): Promise<boolean> {
    try {
      const redis = this.connection();
      const paused = new Set(await redis.smembers(keys.paused));
      for (const queue of queues) {
        if (!paused.has(queue) && (await redis.llen(keys.queue(queue))) > 0) return true;
      }
      return false;
    } catch {
      // Not the place to hear that Redis is away: the next fetch tells. Until then, none is known of.
      return false;
    }
  }

  private unit(queue: string, bytes: Buffer): UnitOfWork {
    let settlement: Promise<Settlement> | undefined;
    return {
      queue,
      bytes,
      whenLost: undefined,
      settle: (outcome) => {
        settlement ??= this.note(this.write(queue, bytes, outcome));
        return settlement;
      },
      release: () => undefined,
    };
  }

  private note<T>(writing: Promise<T>): Promise<T> {
    this.unwritten.add(writing);
    const forget = () => this.unwritten.delete(writing);
    writing.then(forget, forget);
    return writing;
  }

  private async write(queue: string, bytes: Buffer, outcome: Outcome): Promise<Settlement> {
    for (;;) {
      try {
        await this.writeOnce(this.connection(), queue, bytes, outcome);
        return 'settled';
      } catch (error) {
        if (this.isStopped && this.deadline.aborted) throw unavailable('an outcome was not written', error);
        await sleep(new AbortController().signal);
      }
    }
  }

  private async writeOnce(redis: Redis, queue: string, bytes: Buffer, outcome: Outcome): Promise<void> {
    if (outcome.kind === 'requeue') await redis.rpush(keys.queue(queue), bytes);
    else if (outcome.kind === 'yield') await redis.lpush(keys.queue(queue), outcome.bytes);
    else if (outcome.kind === 'retry')
      await redis.zadd(keys.retry, (await nowSeconds(redis)) + outcome.delaySeconds, outcome.bytes);
    else if (outcome.kind === 'dead') await redis.zadd(keys.dead, await nowSeconds(redis), outcome.bytes);
  }

  private connection(): Redis {
    if (this.redis?.status === 'ready') return this.redis;
    throw unavailable('there is no connection');
  }
}

async function nowSeconds(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) + Number(microseconds) / 1_000_000;
}

function sleep(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, lookEachMs);
    signal.addEventListener('abort', end);
  });
}
