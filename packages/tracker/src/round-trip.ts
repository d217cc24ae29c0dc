/**
 * Ends and claims in one round trip: the end of a claim rides on the next claim. Each call is sent once; only what Redis
 * itself says it did not execute (NOSCRIPT) is sent again, with its text.
 */
import { isNoScript, type LuaScript, type ScriptArgument, withKeyTypes } from '@tsq/core';
import type { Redis } from 'ioredis';

export interface ScriptCall {
  readonly script: LuaScript;
  readonly keys: readonly string[];
  readonly args: readonly ScriptArgument[];
}

/** A reply, or why there is none. One call's error says nothing of the others. */
export type ScriptReply = { readonly value: unknown } | { readonly error: Error };

export async function roundTrip(redis: Redis, calls: readonly ScriptCall[]): Promise<readonly ScriptReply[]> {
  const pipeline = redis.pipeline();
  for (const { script, keys, args } of calls) {
    pipeline.callBuffer('EVALSHA', script.sha, keys.length, ...keys, ...args);
  }
  const replies = await pipeline
    .exec()
    .catch((error: Error) => calls.map((): [Error, unknown] => [error, undefined]));
  return await Promise.all(
    calls.map(async (call, index): Promise<ScriptReply> => {
      const [error, value] = replies?.[index] ?? [new Error('the pipeline gave no reply'), undefined];
      if (error === null) return { value };
      return isNoScript(error)
        ? await sendText(redis, call)
        : { error: await withKeyTypes(error, redis, call.keys) };
    }),
  );
}

async function sendText(redis: Redis, call: ScriptCall): Promise<ScriptReply> {
  try {
    const value = await redis.callBuffer(
      'EVAL',
      call.script.text,
      call.keys.length,
      ...call.keys,
      ...call.args,
    );
    return { value };
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    return { error: await withKeyTypes(cause, redis, call.keys) };
  }
}
