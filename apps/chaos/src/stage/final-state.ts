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

/** Looked at in one step: a job that goes from one place to another meanwhile would be seen in neither. */
const placesScript = `
local left = {}
local function add(key, count)
  if count > 0 then left[#left + 1] = key .. ': ' .. count end
end
for _, key in ipairs(redis.call('KEYS', 'queue:*')) do add(key, redis.call('LLEN', key)) end
for _, key in ipairs({ 'retry', 'schedule' }) do add(key, redis.call('ZCARD', key)) end
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':jobs:*')) do add(key, redis.call('SCARD', key)) end
return left`;

/** @throws that something is still to be done, and what */
export async function allHasEnded(redis: Redis): Promise<void> {
  const left = (await redis.eval(placesScript, 0, namespace)) as string[];
  if (left.length > 0) throw new Error(`not drained: ${left.join(', ')}`);
}

function errorOf(bytes: Buffer): string | undefined {
  return /"error_message":"((?:[^"\\]|\\.)*)"/.exec(bytes.toString('utf8'))?.[1];
}
