/**
 * A client's one connection: opened when something is to be sent, and never a reason for a program to stay alive. Its
 * socket does not hold the process (what waits for a reply does, by its timer), and while nothing waits, a lost
 * connection is not made anew: the next use opens one.
 */
import type { Redis } from 'ioredis';
import { openConnection, unavailable, whenReady } from './connection.js';
import { weightier } from './connection-refusal.js';
import type { Logger } from './logger.js';
import { Outages } from './outages.js';
import type { RedisLocation } from './redis-location.js';

/** Of a stream that was asked to end and does not. ioredis' timer holds the process, even when the stream has ended before. */
const disconnectTimeoutMs = 100;

export class ClientConnection {
  private redis: Redis | undefined;
  private users = 0;
  private lastError: Error | undefined;
  /** One connection follows the other: what one met is over when the next is ready. */
  private readonly outages: Outages;

  constructor(
    private readonly location: RedisLocation,
    private readonly commandTimeoutMs: number,
    logger: Logger,
  ) {
    this.outages = new Outages(logger);
  }

  /**
   * Runs `send` once commands can be written. What `send` writes before its first await is written.
   * @param deadline on performance.now()'s clock
   * @throws TSQ_REDIS_UNAVAILABLE after the deadline: `send` was not called
   */
  async use(deadline: number, send: (redis: Redis) => Promise<void>): Promise<void> {
    this.users += 1;
    try {
      for (;;) {
        const redis = this.opened();
        if (isWritable(redis)) return await send(redis);
        await this.nextChange(redis, deadline);
      }
    } finally {
      this.users -= 1;
      this.letGoWhenAway();
    }
  }

  /** Ends the connection, if there is one. Whoever still waits for a reply hears that it was closed. */
  close(): void {
    this.redis?.disconnect();
    this.redis = undefined;
  }

  private opened(): Redis {
    if (this.redis !== undefined && this.redis.status !== 'end') return this.redis;
    const { commandTimeoutMs } = this;
    const options = { disconnectTimeout: disconnectTimeoutMs, ...this.location.options };
    const location = { ...this.location, options };
    const report = this.outages.hear;
    const redis = openConnection(location, { name: 'tsq-client', commandTimeoutMs, report });
    redis.on('connect', () => redis.stream.unref());
    redis.on('ready', () => {
      this.lastError = undefined;
    });
    redis.on('error', (error: Error) => {
      this.lastError = weightier(this.lastError, error);
    });
    redis.on('close', () => this.letGoWhenAway());
    this.redis = redis;
    return redis;
  }

  private async nextChange(redis: Redis, deadline: number): Promise<void> {
    const leftMs = Math.max(0, deadline - performance.now());
    try {
      if (redis.status === 'ready') await closed(redis, leftMs);
      else await whenReady(redis, leftMs);
    } catch (error) {
      throw unavailable(
        'nothing was sent, for there was no connection before the deadline',
        this.lastError ?? error,
      );
    }
  }

  private letGoWhenAway(): void {
    if (this.users === 0 && this.redis?.status !== 'ready') this.close();
  }
}

/** A connection that the other side has just ended is still called ready until its close event. */
function isWritable(redis: Redis): boolean {
  return redis.status === 'ready' && redis.stream.writable;
}

async function closed(redis: Redis, withinMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onClose = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      redis.off('close', onClose);
      reject(unavailable('the connection is closing'));
    }, withinMs);
    redis.once('close', onClose);
  });
}
