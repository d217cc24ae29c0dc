/**
 * Takes processes off the list that went without a goodbye: their hash has expired. Ruby's Sidekiq does so too, behind the same
 * guard, so whoever is first in a minute does it for the whole fleet.
 */
import type { Redis } from 'ioredis';
import { keys } from '../keys.js';
import { repliesOf } from './replies.js';

const guardSeconds = 60;

/**
 * @returns the identities that were taken off; none when somebody has looked within the last minute
 * @throws what the connection throws
 */
export async function removeGoneProcesses(redis: Redis): Promise<readonly string[]> {
  const won = await redis.set(keys.processCleanup, '1', 'EX', guardSeconds, 'NX');
  if (won === null) return [];
  const identities = await redis.smembers(keys.processes);
  const commands = redis.pipeline();
  for (const identity of identities) commands.hexists(keys.process(identity), 'info');
  const replies = await repliesOf(commands);
  const gone = identities.filter((_, at) => replies[at] === 0).sort();
  if (gone.length > 0) await redis.srem(keys.processes, ...gone);
  return gone;
}
