/** What Redis holds at the end: jobs, by where they are, and keys of the namespace, of which none should be left. */
import type { Redis } from 'ioredis';
import { hashOf, jidOf } from '../history/bytes-hash.js';

export interface PlacedJob {
  readonly place: 'queue' | 'retry' | 'schedule' | 'dead' | 'claims';
  /** '' when the bytes have none. */
  readonly jid: string;
  readonly hash: string;
  /** As in `dead`: `TSQ_JOB_POISON: …`. */
  readonly error?: string | undefined;
}

export interface FinalState {
  readonly jobs: readonly PlacedJob[];
  /** Keys of the tracker's namespace. */
  readonly keys: readonly string[];
}

const namespace = 'tsq';

export async function finalState(redis: Redis): Promise<FinalState> {
  const jobs: PlacedJob[] = [];
  const add = (place: PlacedJob['place'], all: readonly Buffer[]) => {
    for (const bytes of all)
      jobs.push({ place, jid: jidOf(bytes) ?? '', hash: hashOf(bytes), error: errorOf(bytes) });
  };
  for (const key of await redis.keys('queue:*')) add('queue', await redis.lrangeBuffer(key, 0, -1));
  for (const set of ['retry', 'schedule', 'dead'] as const)
    add(set, await redis.zrangeBuffer(set, '0', '-1'));
  const keys = await redis.keys(`${namespace}:*`);
  for (const key of keys.filter((each) => each.startsWith(`${namespace}:job:`))) {
    const bytes = await redis.getBuffer(key);
    if (bytes !== null) add('claims', [bytes]);
  }
  return { jobs, keys: keys.sort() };
}

/** Makes the retries due: when a job comes back is jittered by ten seconds, as Sidekiq does, and not what is tested. */
export async function hastenRetries(redis: Redis): Promise<void> {
  const waiting = await redis.zrangeBuffer('retry', '0', '-1');
  // XX: what was promoted meanwhile does not come back.
  if (waiting.length > 0) await redis.zadd('retry', 'XX', ...waiting.flatMap((bytes) => ['1', bytes]));
}

/** @throws that something is still to be done, and what */
export async function allHasEnded(redis: Redis): Promise<void> {
  const left: Record<string, number> = {};
  for (const key of await redis.keys('queue:*')) left[key] = await redis.llen(key);
  for (const key of ['retry', 'schedule']) left[key] = await redis.zcard(key);
  for (const key of await redis.keys(`${namespace}:jobs:*`)) left[key] = await redis.scard(key);
  const remaining = Object.entries(left).filter(([, count]) => count > 0);
  if (remaining.length > 0) throw new Error(`not drained: ${JSON.stringify(Object.fromEntries(remaining))}`);
}

function errorOf(bytes: Buffer): string | undefined {
  return /"error_message":"((?:[^"\\]|\\.)*)"/.exec(bytes.toString('utf8'))?.[1];
}
