/**
 * Where a job that iterates stands, in `it-JID`: the hash that Ruby's Sidekiq writes and reads from 7.3 on, so a job that one
 * began the other goes on with.
 */
import {
  iterationTtlSeconds,
  type JsonValue,
  keys,
  parseJson,
  repliesOf,
  stringifyJson,
  type Trouble,
  TsqError,
} from '@tsq/core';
import type { Redis } from 'ioredis';
import type { IterationState } from './iteration.js';

export class StoredIteration implements IterationState {
  executions = 0;
  cursor: JsonValue | undefined;
  runtimeSeconds = 0;
  private readonly key: string;

  /** @param trouble hears of a cursor that could not be stored */
  constructor(
    private readonly redis: Redis,
    jid: string,
    private readonly trouble: Trouble,
  ) {
    this.key = keys.iteration(jid);
  }

  /**
   * Ruby's own cancel of a job that has not begun leaves a hash with nothing but its mark: what is missing is as at the start.
   * @throws TSQ_ITERATION_UNREADABLE; what the connection throws
   */
  async load(): Promise<'going' | 'cancelled'> {
    const { ex, c, rt, cancelled } = await this.redis.hgetall(this.key);
    this.executions = Number.parseInt(ex ?? '0', 10) || 0;
    this.cursor = this.readCursor(c ?? 'null') ?? undefined;
    this.runtimeSeconds = Number.parseFloat(rt ?? '0') || 0;
    return cancelled === undefined ? 'going' : 'cancelled';
  }

  async store(): Promise<'going' | 'cancelled'> {
    const state = {
      ex: this.executions,
      c: stringifyJson(this.cursor ?? null),
      rt: secondsText(this.runtimeSeconds),
    };
    const commands = this.redis.multi();
    commands.hset(this.key, state).expire(this.key, iterationTtlSeconds).hget(this.key, 'cancelled');
    try {
      const replies = await repliesOf(commands);
      this.trouble.over();
      return typeof replies.at(-1) === 'string' ? 'cancelled' : 'going';
    } catch (error) {
      this.trouble.met(error);
      return 'going';
    }
  }

  async remove(): Promise<void> {
    await this.redis.unlink(this.key);
  }

  private readCursor(text: string): JsonValue {
    try {
      return parseJson(text);
    } catch (cause) {
      const message = `the stored cursor of this job is no JSON: delete the key "${this.key}" to begin anew`;
      throw new TsqError('TSQ_ITERATION_UNREADABLE', message, { cause });
    }
  }
}

/** As Ruby writes it: 0 before the first run has ended, from then on with a fraction. */
function secondsText(seconds: number): string {
  const rounded = Math.round(seconds * 1e6) / 1e6;
  return rounded !== 0 && Number.isInteger(rounded) ? `${rounded}.0` : String(rounded);
}
