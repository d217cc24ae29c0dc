/**
 * Redis' time, for what decides about a job's end: `expires_in` and `retry_for`. A host whose clock is wrong must drop nothing
 * (S6). Redis is asked seldom, and only while somebody wants to know; in between the process' own monotonic clock counts on.
 */
import { type Logger, silentLogger, Trouble } from '@tsq/core';
import type { Redis } from 'ioredis';

export interface Clock {
  /** Milliseconds since the epoch; undefined: nobody can say, so nothing may be taken for over. */
  nowMs(): number | undefined | Promise<number | undefined>;
}

/** This host's, for who has no Redis at hand. */
export const hostClock: Clock = { nowMs: () => Date.now() };

/** Two quartz clocks differ by less than a millisecond in that time. */
const trustedForMs = 10_000;

interface Sample {
  readonly redisMs: number;
  readonly takenAtMs: number;
}

export class RedisClock implements Clock {
  private sample: Sample | undefined;
  private asking: Promise<number | undefined> | undefined;
  private readonly trouble: Trouble;

  constructor(
    private readonly redis: Redis,
    logger: Logger = silentLogger,
  ) {
    this.trouble = new Trouble(logger, "Can't ask Redis for its time");
  }

  /** A promise only when Redis must be asked. undefined as long as it has never answered. Never rejects. */
  nowMs(): number | Promise<number | undefined> {
    if (this.sample !== undefined && performance.now() - this.sample.takenAtMs < trustedForMs) {
      return this.estimate(this.sample);
    }
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  private async ask(): Promise<number | undefined> {
    try {
      const [seconds, microseconds] = await this.redis.time();
      this.sample = {
        redisMs: Number(seconds) * 1_000 + Number(microseconds) / 1_000,
        takenAtMs: performance.now(),
      };
      this.trouble.over();
    } catch (error) {
      this.trouble.met(error);
    }
    return this.sample === undefined ? undefined : this.estimate(this.sample);
  }

  private estimate({ redisMs, takenAtMs }: Sample): number {
    return redisMs + (performance.now() - takenAtMs);
  }
}
