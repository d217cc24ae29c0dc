/**
 * The model's Redis as the keys of a real one: to compare the two, and to put a real one back to an earlier moment. Texts are
 * latin1, a character to a byte, so that any bytes can be a job's.
 */
import { keys } from '@tsq/core';
import type { TestRedis } from '@tsq/core/test-support';
import { type InstanceId, Keyspace, type Member } from '@tsq/tracker';
import { type Claim, memberOf, type Redis } from './state.js';

export type Connection = ReturnType<TestRedis['connect']>;

export type Contents = Readonly<Record<string, string | readonly string[]>>;

const keyspace = new Keyspace();

/** The key of no id is what stands before one. */
const none = '' as InstanceId;

/** A heartbeat's value is a time, which the model has not. */
const someTime = 'a time';

/** Nor has it what an instance notes of itself. */
const someNote = 'a note';

/** Text for a string, a list in order; a set sorted, a sorted set's members sorted. */
export function keysOf(redis: Redis): Contents {
  const contents: Record<string, string | readonly string[]> = {
    [keys.queues]: redis.queueNames,
    [keys.paused]: redis.paused,
    [keys.retry]: redis.retry,
    [keys.dead]: redis.dead,
    [keyspace.instances]: redis.instances,
    [keyspace.deadInstances]: redis.declaredDead,
  };
  for (const [name, list] of Object.entries(redis.queues)) contents[keys.queue(name)] = list;
  for (const id of redis.beats) contents[keyspace.instance(id as InstanceId)] = someTime;
  for (const id of redis.vitals) contents[keyspace.vitals(id as InstanceId)] = someNote;
  for (const [id, batch] of Object.entries(redis.batches))
    contents[keyspace.claims(id as InstanceId)] = String(batch);
  for (const owner of new Set(redis.claims.map((claim) => claim.owner))) {
    const members = redis.claims.filter((claim) => claim.owner === owner).map(memberOf);
    contents[keyspace.jobs(owner as InstanceId)] = members.sort();
  }
  for (const claim of redis.claims) contents[keyOfPayload(claim)] = claim.bytes;
  return Object.fromEntries(Object.entries(contents).filter(([key, value]) => isKept(key, value)));
}

/** Redis keeps no empty lists and sets; an empty payload it does. */
function isKept(key: string, value: string | readonly string[]): boolean {
  return key !== '' && (typeof value === 'string' || value.length > 0);
}

function keyOfPayload(claim: Claim): string {
  return keyspace.job(memberOf(claim) as Member);
}

/** One step, so that it shows one moment. Of the hashes the notes of instances, and that they are there; the others count recoveries, of which the model knows nothing. Pairs of key and type, then what is in it. */
const everything = `
local reply = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key).ok
  local content
  if kind == 'string' then content = { redis.call('GET', key) }
  elseif kind == 'list' then content = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'set' then content = redis.call('SMEMBERS', key)
  elseif kind == 'zset' then content = redis.call('ZRANGE', key, 0, -1) end
  if kind == 'hash' and string.find(key, ':vitals:', 1, true) then content = { '' } end
  if content then reply[#reply + 1] = { key, kind, content } end
end
return reply`;

export async function readKeys(connection: Connection): Promise<Contents> {
  const rows = (await connection.callBuffer('EVAL', everything, 0)) as [Buffer, Buffer, Buffer[]][];
  return Object.fromEntries(
    rows.map(([key, kind, content]) => {
      const texts = content.map((bytes) => bytes.toString('latin1'));
      return [key.toString('latin1'), contentOf(key.toString(), kind.toString(), texts)];
    }),
  );
}

function contentOf(key: string, kind: string, texts: readonly string[]): string | readonly string[] {
  if (kind === 'list') return texts;
  if (kind === 'hash') return someNote;
  if (kind !== 'string') return texts.toSorted();
  return key.startsWith(keyspace.instance(none)) ? someTime : (texts[0] ?? '');
}

/** Puts Redis back to what the model was. */
export async function restore(connection: Connection, redis: Redis): Promise<void> {
  const pipeline = connection.pipeline().flushall();
  for (const [key, value] of Object.entries(keysOf(redis))) {
    if (key.startsWith(keyspace.vitals(none))) pipeline.hset(key, 'rss', 1);
    else if (typeof value === 'string') pipeline.set(key, bytesOf(value));
    else if (key.startsWith(keys.queuePrefix)) pipeline.rpush(key, ...value.map(bytesOf));
    else if (key === keys.retry || key === keys.dead)
      for (const one of value) pipeline.zadd(key, 9e9, bytesOf(one));
    else pipeline.sadd(key, ...value.map(bytesOf));
  }
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
}

export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
