/**
 * A drill's questions to Redis. Redis may go away in the middle: what a question could not find out, the next one will; only
 * when it stays away there is nothing to wait for. A Redis that answers with an error is not away.
 */
import { TsqError, unavailable } from '@tsq/core';
import type { Redis } from 'ioredis';
import { redisAwaySeconds } from './drill-settings.js';

/** It is there, and will answer later. */
const passing = /^(LOADING|READONLY|MASTERDOWN|BUSY|UNBLOCKED)/;

export class PatientRedis {
  private awaySinceMs: number | undefined;
  private wasAway = false;

  constructor(readonly redis: Redis) {}

  /** A question went without an answer, at least once. */
  get hasBeenAway(): boolean {
    return this.wasAway;
  }

  /**
   * @returns undefined when there was no answer
   * @throws TSQ_REDIS_UNAVAILABLE when there was none for 15 s; TSQ_REDIS_REFUSED when it was an error
   */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await question(this.redis);
      this.awaySinceMs = undefined;
      return answer;
    } catch (error) {
      this.noteAbsence(error);
      return undefined;
    }
  }

  private noteAbsence(error: unknown): void {
    if (error instanceof Error && error.name === 'ReplyError' && !passing.test(error.message)) {
      throw new TsqError('TSQ_REDIS_REFUSED', `Redis refused a question of the drill: ${error.message}`, {
        cause: error,
      });
    }
    this.wasAway = true;
    this.awaySinceMs ??= performance.now();
    if (performance.now() - this.awaySinceMs < redisAwaySeconds * 1_000) return;
    throw unavailable(`no answer for ${redisAwaySeconds} s in the middle of the drill`, error);
  }
}
