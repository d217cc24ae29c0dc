/** clear.lua, typed. */
import type { Redis } from 'ioredis';
import { keys } from '../keys.js';
import { LuaScript } from '../lua-script.js';
import { wrongType } from './wrong-type.js';

const script = new LuaScript(new URL('./clear.lua', import.meta.url));

/** @returns how many jobs went. @throws TSQ_REDIS_REFUSED when the key is no list */
export async function clearQueue(redis: Redis, name: string): Promise<number> {
  return told(keys.queue(name), await script.run(redis, [keys.queue(name), keys.queues], ['list', name]));
}

/** @returns how many entries went. @throws TSQ_REDIS_REFUSED when the key is no sorted set */
export async function clearSet(redis: Redis, key: string): Promise<number> {
  return told(key, await script.run(redis, [key], ['zset']));
}

function told(key: string, reply: unknown): number {
  const count = Number(reply);
  if (count < 0) throw wrongType([key]);
  return count;
}
