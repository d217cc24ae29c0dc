/**
 * Orphans, made by script: what claim.lua leaves of instances that claimed and died. And their account afterwards: each is
 * back once, with the bytes that it had.
 */
import { keys } from '@tsq/core';
import { type InstanceId, Keyspace, type Member, memberOf } from '@tsq/tracker';
import type { Redis } from 'ioredis';

export interface Orphans {
  readonly count: number;
  readonly instances: number;
}

/** Nobody works on it. */
const queue = 'recovered';
const batchSize = 500;
const keyspace = new Keyspace();

/** The n-th orphan of all, about as long as a job of Sidekiq's. */
export function payloadOf(n: number): string {
  const jid = n.toString(16).padStart(24, '0');
  return `{"retry":true,"queue":"${queue}","backtrace":true,"args":[${n},"one","two",{"three":3.0}],"class":"Import::Row","jid":"${jid}","created_at":1795466562.4969463,"enqueued_at":1795466562.4969971}`;
}

function instanceId(index: number): InstanceId {
  return `dead-${index}` as InstanceId;
}

/** Those of an instance are consecutive, the oldest first. None has a heartbeat. */
export async function makeOrphans(redis: Redis, { count, instances }: Orphans): Promise<void> {
  const each = Math.ceil(count / instances);
  for (let index = 0; index < instances; index += 1) {
    const end = Math.min(count, (index + 1) * each);
    await makeInstance(redis, instanceId(index), index * each, end);
  }
}

async function makeInstance(redis: Redis, id: InstanceId, from: number, end: number): Promise<void> {
  await redis.sadd(keyspace.instances, id);
  for (let first = from; first < end; first += batchSize) {
    const batch = await redis.incr(keyspace.claims(id));
    const members: Member[] = [];
    const payloads: string[] = [];
    for (let n = first; n < Math.min(end, first + batchSize); n += 1) {
      const member = memberOf(id, batch, n - first, queue);
      members.push(member);
      payloads.push(keyspace.job(member), payloadOf(n));
    }
    await redis.pipeline().sadd(keyspace.jobs(id), members).mset(payloads).exec();
  }
}

export async function isAllBack(redis: Redis, { count }: Orphans): Promise<boolean> {
  return (await redis.llen(keys.queue(queue))) >= count && (await redis.exists(keyspace.deadInstances)) === 0;
}

/** How many follow the one that was claimed before them. @throws for an orphan that is amiss */
export async function account(redis: Redis, { count, instances }: Orphans): Promise<number> {
  const seen = new Uint8Array(count);
  const each = Math.ceil(count / instances);
  let before = -1;
  let disorder = 0;
  for (let at = 0; at < count; at += 1_000) {
    // From the end that is fetched first.
    const page = (await redis.lrange(keys.queue(queue), -at - 1_000, -at - 1)).reverse();
    for (const text of page) {
      const n = Number(/"args":\[(\d+)/.exec(text)?.[1]);
      if (text !== payloadOf(n)) throw new Error(`expected the bytes of an orphan, got ${text}`);
      if (seen[n] === 1) throw new Error(`orphan ${n} was put back twice`);
      seen[n] = 1;
      if (Math.floor(before / each) === Math.floor(n / each) && n !== before + 1) disorder += 1;
      before = n;
    }
  }
  const lost = seen.indexOf(0);
  const length = await redis.llen(keys.queue(queue));
  if (lost !== -1 || length !== count)
    throw new Error(`expected ${count} jobs, got ${length}; ${lost} is lost`);
  const left = await redis.keys(`${keyspace.namespace}:*dead-*`);
  if (left.length > 0) throw new Error(`keys of dead instances are left: ${left.join(' ')}`);
  return count - disorder;
}
