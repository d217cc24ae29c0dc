/** All that a Redis holds, byte for byte: to see that nothing was touched, and nothing left. */
import type { Redis } from 'ioredis';

/** Key -> what DUMP says, and whether it expires. */
export async function keyAudit(redis: Redis): Promise<ReadonlyMap<string, string>> {
  const keys = (await redis.keys('*')).sort();
  const entries = keys.map(async (key) => {
    const [type, dump, ttl] = await Promise.all([redis.type(key), contentOf(redis, key), redis.ttl(key)]);
    return [key, `${type} ${ttl < 0 ? 'stays' : 'expires'} ${dump}`] as const;
  });
  return new Map(await Promise.all(entries));
}

/** Not DUMP for sets and hashes: its order is the server's own, and may change without a change. */
async function contentOf(redis: Redis, key: string): Promise<string> {
  const type = await redis.type(key);
  if (type === 'set') return JSON.stringify((await redis.smembers(key)).sort());
  if (type === 'hash') return JSON.stringify(Object.entries(await redis.hgetall(key)).sort());
  return (await redis.dumpBuffer(key))?.toString('hex') ?? 'gone';
}
