/** Makes, for a test, what claim.lua leaves in Redis. */
import { type InstanceId, type Keyspace, type Member, memberOf } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { orphansOf } from '../orphans.js';
import { type OrphanPosition, type RecoveryStep, recover } from '../recover.js';

export interface Claim {
  readonly queue: string;
  readonly bytes: Buffer | string;
}

/** One batch of claims, the first of which is the oldest. */
export async function hold(
  redis: Redis,
  keyspace: Keyspace,
  id: InstanceId,
  claims: readonly Claim[],
): Promise<readonly Member[]> {
  const batch = await redis.incr(keyspace.claims(id));
  const members = claims.map(({ queue }, index) => memberOf(id, batch, index, queue));
  const pipeline = redis.pipeline();
  claims.forEach(({ bytes }, index) => {
    const member = members[index];
    if (member === undefined) return;
    pipeline.sadd(keyspace.jobs(id), member);
    pipeline.set(keyspace.job(member), bytes);
  });
  for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  return members;
}

/** What a queue holds, in the order in which it will be fetched. */
export async function fetchOrder(redis: Redis, queue: string): Promise<readonly string[]> {
  return (await redis.lrange(`queue:${queue}`, 0, -1)).reverse();
}

/** What is left in the namespace, but for the counts of jobs that were put back: those end with the jobs. */
export async function keysLeft(redis: Redis, keyspace: Keyspace): Promise<readonly string[]> {
  const all = await redis.keys(`${keyspace.namespace}:*`);
  return all.filter((key) => key !== keyspace.recoveries);
}

/** One step of recovery, with those that are to go back first. */
export async function recoverSome(
  redis: Redis,
  keyspace: Keyspace,
  id: InstanceId,
  limit: number,
  position: OrphanPosition,
): Promise<RecoveryStep | 'alive'> {
  const { value: orphans = [] } = await orphansOf(redis, keyspace, id, position).next();
  return await recover(redis, keyspace, id, orphans.slice(0, limit), position);
}
