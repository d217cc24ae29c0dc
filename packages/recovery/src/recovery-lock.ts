/**
 * The locks that spare work: one instance recovers at a time, and one looks at the fleet's connections. They guard nothing.
 * One may expire in the middle of a pass or be deleted by a stranger, and two recover at once: recover.lua puts each orphan
 * back once all the same. Only beside the tracker gem the recovery lock guards something: the gem deletes what it has read, and
 * pushes it later, so what it may be reading must be left alone.
 */
import { LuaScript } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { readWord } from './read-word.js';

const takeScript = new LuaScript(new URL('./take-lock.lua', import.meta.url));
const releaseScript = new LuaScript(new URL('./release-lock.lua', import.meta.url));

/** `gemScan`: the turn at looking for instances of the tracker gem. */
export type Lock = 'recoveryLock' | 'watch' | 'gemScan';

/**
 * `held`: by another instance that lives.
 * @param sharing `with-gem`: the tracker gem takes this lock too, and what its holder has read it puts back, however long its
 * heartbeat is over: from such a holder the lock is not taken before it expires
 */
export async function takeLock(
  redis: Redis,
  keyspace: Keyspace,
  lock: Lock,
  own: InstanceId,
  ttlMs: number,
  sharing: 'own' | 'with-gem' = 'own',
): Promise<'taken' | 'held'> {
  const heartbeatPrefix = keyspace.instance('' as InstanceId); // the key of no id is what stands before one
  const reply = await takeScript.run(redis, [keyspace[lock]], [own, ttlMs, heartbeatPrefix, sharing]);
  return readWord(reply, ['taken', 'held']);
}

/** `not-held`: it expired, or is another's, and was left alone. */
export async function releaseLock(
  redis: Redis,
  keyspace: Keyspace,
  own: InstanceId,
  lock: Exclude<Lock, 'watch'> = 'recoveryLock',
): Promise<'released' | 'not-held'> {
  const reply = await releaseScript.run(redis, [keyspace[lock]], [own]);
  return readWord(reply, ['released', 'not-held']);
}
