/** retire.lua, typed: the clean end of an instance. */
import { LuaScript } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { readWord } from './read-word.js';

const script = new LuaScript(new URL('./retire.lua', import.meta.url));

/** `gone`: no key of it is left. `left`: it held claims still; the others recover them without waiting for its TTL. */
export type Retirement = 'gone' | 'left';

export async function retire(redis: Redis, keyspace: Keyspace, id: InstanceId): Promise<Retirement> {
  const own = [keyspace.instance(id), keyspace.jobs(id), keyspace.claims(id), keyspace.suspect(id)];
  const ofAll = [keyspace.sightings, keyspace.lapses, keyspace.watch, keyspace.lastPass, keyspace.recovered];
  const keys = [keyspace.instances, ...own, ...ofAll, keyspace.vitals(id)];
  return readWord(await script.run(redis, keys, [id]), ['gone', 'left']);
}
