/** to-dead.lua, typed. The data API kills entries with it, and the poller moves there what nobody can read. */
import type { Redis } from 'ioredis';
import type { DeadSetLimits } from '../dead-set.js';
import { keys } from '../keys.js';
import { LuaScript } from '../lua-script.js';

const script = new LuaScript(new URL('./to-dead.lua', import.meta.url));

/** `gone`: somebody else was first. `stuck`: a key holds another type than Sidekiq gives it, and nothing was written. */
export type ToDeadOutcome = 'done' | 'gone' | 'stuck';

/**
 * Moves entries from a sorted set to `dead`, all in one step; they are found by their exact bytes, and keep them.
 * @param set `schedule`, `retry` or `dead`
 * @returns one outcome for each entry, in their order
 * @throws what the connection throws
 */
export async function moveToDead(
  redis: Redis,
  set: string,
  entries: readonly Buffer[],
  { timeoutSeconds, maxJobs }: DeadSetLimits,
): Promise<readonly ToDeadOutcome[]> {
  const reply = await script.run(redis, [set, keys.dead], [timeoutSeconds, maxJobs, ...entries]);
  return Array.isArray(reply) ? reply.map(outcomeOf) : [];
}

function outcomeOf(answer: unknown): ToDeadOutcome {
  if (answer === 1) return 'done';
  return answer === -1 ? 'stuck' : 'gone';
}
