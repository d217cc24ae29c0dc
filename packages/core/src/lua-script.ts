/**
 * One .lua file, run by its SHA. The text is sent only when Redis does not know it (a first run, a restart, SCRIPT FLUSH):
 * NOSCRIPT means that nothing was executed, so sending again is safe. After any other error nothing is sent again.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { withKeyTypes } from './wrong-type.js';

export type ScriptArgument = string | number | Buffer;

export class LuaScript {
  readonly text: string;
  readonly sha: string;

  /** @param file the .lua file: `new URL('./claim.lua', import.meta.url)` */
  constructor(file: URL) {
    this.text = readFileSync(file, 'utf8');
    this.sha = createHash('sha1').update(this.text).digest('hex');
  }

  /** Replies come as Buffers, numbers and arrays of them. */
  async run(redis: Redis, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await this.call(redis, keys, args);
    } catch (error) {
      throw error instanceof Error ? await withKeyTypes(error, redis, keys) : error;
    }
  }

  private async call(
    redis: Redis,
    keys: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<unknown> {
    try {
      return await redis.callBuffer('EVALSHA', this.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return await redis.callBuffer('EVAL', this.text, keys.length, ...keys, ...args);
    }
  }
}

export function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
