/** condemn.lua, typed: the step in which a missing process counts for more than its heartbeat. */
import { LuaScript } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { readWord } from './read-word.js';

const script = new LuaScript(new URL('./condemn.lua', import.meta.url));

/** `condemned`: it has no heartbeat now. `alive`: it beat meanwhile. `spared`: the fleet has lapsed as a whole. */
export type Verdict = 'condemned' | 'alive' | 'spared';

/** @param beat the heartbeat as it was before the first look that missed it; '' for none */
export async function condemn(
  redis: Redis,
  keyspace: Keyspace,
  id: InstanceId,
  beat: string,
): Promise<Verdict> {
  const reply = await script.run(redis, [keyspace.instance(id), keyspace.lapses], [beat]);
  return readWord(reply, ['condemned', 'alive', 'spared']);
}
