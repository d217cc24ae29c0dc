/**
 * The locks that spare work: one instance recovers at a time, and one looks at the fleet's connections. They guard nothing.
 * One may expire in the middle of a pass or be deleted by a stranger, and two recover at once: recover.lua puts each orphan
 * back once all the same.
 */
import { LuaScript } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { readWord } from './read-word.js';

const takeScript = new LuaScript(new URL('./take-lock.lua', import.meta.url));
const releaseScript = new LuaScript(new URL('./release-lock.lua', import.meta.url));

export type Lock = 'recoveryLock' | 'watch';

/** `held`: by another instance that lives. */
export async function takeLock(
  redis: Redis,
  keyspace: Keyspace,
  lock: Lock,
  own: InstanceId,
  ttlMs: number,
): Promise<'taken' | 'held'> {
  const heartbeatPrefix = keyspace.instance('' as InstanceId); // the key of no id is what stands before one
  const reply = await takeScript.run(redis, [keyspace[lock]], [own, ttlMs, heartbeatPrefix]);
  return readWord(reply, ['taken', 'held']);
}

/** `not-held`: it expired, or is another's, and was left alone. */
export async function releaseLock(
  redis: Redis,
  keyspace: Keyspace,
  own: InstanceId,
): Promise<'released' | 'not-held'> {
  const reply = await releaseScript.run(redis, [keyspace.recoveryLock], [own]);
  return readWord(reply, ['released', 'not-held']);
}
