/** census.lua, typed: one look at the whole fleet's heartbeats, and who of it may be declared dead. */
import { LuaScript } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';

const script = new LuaScript(new URL('./census.lua', import.meta.url));

export interface Census {
  /** They look dead; recover.lua looks again, in the step that declares it. */
  readonly dead: readonly InstanceId[];
  /** More than half of the fleet had no heartbeat at this look: so many got one TTL to come back. */
  readonly granted: number;
  /** So many have such a TTL still. */
  readonly waiting: number;
}

/** @param own who asks: it is never among the dead */
export async function takeCensus(
  redis: Redis,
  keyspace: Keyspace,
  own: InstanceId,
  ttlMs: number,
): Promise<Census> {
  const heartbeatPrefix = keyspace.instance('' as InstanceId); // the key of no id is what stands before one
  const keys = [keyspace.instances, keyspace.deadInstances, keyspace.lapses];
  const reply = await script.run(redis, keys, [heartbeatPrefix, ttlMs, own]);
  const [dead, granted, waiting] = reply as [Buffer[], number, number]; // the shape that the script's header gives
  return { dead: dead.map((id) => String(id) as InstanceId), granted, waiting };
}
