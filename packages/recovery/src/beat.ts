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

export async function beat(
  redis: Redis,
  keyspace: Keyspace,
  id: InstanceId,
  ttlMs: number,
  mode: BeatMode,
): Promise<BeatReply> {
  const reply = await script.run(redis, [keyspace.instances, keyspace.instance(id)], [id, ttlMs, mode]);
  return readWord(reply, ['renewed', 'lapsed']);
}
