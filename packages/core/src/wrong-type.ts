/**
 * Of a script Redis says that some key holds the wrong kind of value, and not which. Who has to repair it must know, so the
 * error is told what the keys of the call hold. Only after such an error: nothing else is asked of Redis.
 */
import type { Redis } from 'ioredis';

/**
 * @returns the same error, with what is held as its property `keys`: `{ 'tsq:instances': 'string' }`. Its message stays: it
 * is the same each time, while some keys come and go, and whoever logs a trouble once compares messages.
 */
export async function withKeyTypes(error: Error, redis: Redis, keys: readonly string[]): Promise<Error> {
  if (!/\bWRONGTYPE\b/.test(error.message)) return error;
  try {
    const types = await Promise.all(keys.map(async (key) => [key, await redis.type(key)] as const));
    return Object.assign(error, { keys: Object.fromEntries(types.filter(([, type]) => type !== 'none')) });
  } catch (second) {
    return Object.assign(error, { keys: `could not be seen: ${String(second)}` });
  }
}

/** What `withKeyTypes` has noted of an error, for the one that wraps it. */
export function keyTypesOf(error: unknown): { readonly keys?: unknown } {
  return error instanceof Error && 'keys' in error ? { keys: error.keys } : {};
}
