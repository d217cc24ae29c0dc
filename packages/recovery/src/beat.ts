/** beat.lua, typed: the sign of life of one instance. Only the heartbeat's thread sends it. */
import { LuaScript } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { readWord } from './read-word.js';

const script = new LuaScript(new URL('./beat.lua', import.meta.url));

/** `lapsed`: the instance was declared dead, and nothing was written. */
export type BeatReply = 'renewed' | 'lapsed';

/**
 * Sent with `register` once for each id, and never again for one that may have been declared dead since: its claims would
 * be mistaken for those of the dead.
 */
export type BeatMode = 'register' | 'renew';

/** @param note fields and values for who finds the instance dead; `[]`: the last note stays */
export async function beat(
  redis: Redis,
  keyspace: Keyspace,
  id: InstanceId,
  ttlMs: number,
  mode: BeatMode,
  note: readonly string[] = [],
): Promise<BeatReply> {
  const keys = [keyspace.instances, keyspace.instance(id), keyspace.vitals(id)];
  const reply = await script.run(redis, keys, [id, ttlMs, mode, ...note]);
  return readWord(reply, ['renewed', 'lapsed']);
}
