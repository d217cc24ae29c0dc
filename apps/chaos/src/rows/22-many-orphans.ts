/**
 * Row 22: very many orphans, made by script, and four processes that put them back and run them. Redis must stay at hand for
 * everybody else. `pnpm bench:orphans` does it with a million, and measures.
 */
import { type InstanceId, Keyspace, type Member, memberOf } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { must } from './seen.js';

const keyspace = new Keyspace();
const queue = 'default';
const owners = 5;
const batchSize = 500;
/** Of the recoverer, by default. */
const mostAtOnce = 100;

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const count = stage.size === 'full' ? 50_000 : 2_000;
  const redis = stage.connect();
  const client = stage.client();
  for (let at = 0; at < count; at += batchSize) await client.enqueueMany(batchSize, 'Chaos::Tracked', [0]);
  for (let batch = 1; (await redis.llen(`queue:${queue}`)) > 0; batch += 1) await orphan(redis, batch);

  const over = new AbortController();
  const pings = ping(stage, over.signal);
  await Promise.all([1, 2, 3, 4].map(() => stage.worker({ concurrency: 10 })));
  await stage.drained(stage.size === 'full' ? 600_000 : 60_000);
  over.abort();
  const { jobs, done, duplicates } = await stage.verify();
  must(jobs === count && done === count, `${count} orphans, ${jobs} heard of and ${done} done`);
  const twice = Object.values(duplicates).reduce((sum, each) => sum + each, 0);
  must(twice === 0, `expected each once, and ${twice} ran again: ${JSON.stringify(duplicates)}`);
  checkSteps(stage, count);
  checkPings(await pings, stage.size === 'full' ? 0.99 : 0.5);
}

/** The next jobs of the queue become the claims of an instance that nobody hears any more: the oldest first, as claim.lua does. */
async function orphan(redis: Redis, batch: number): Promise<void> {
  const owner = `gone-${batch % owners}` as InstanceId;
  const payloads = (await redis.rpopBuffer(`queue:${queue}`, batchSize)) ?? [];
  const members: Member[] = payloads.map((_, index) => memberOf(owner, batch, index, queue));
  const pairs = members.flatMap((member, index) => [keyspace.job(member), payloads[index] ?? '']);
  await redis
    .multi()
    .sadd(keyspace.instances, owner)
    .set(keyspace.claims(owner), batch)
    .sadd(keyspace.jobs(owner), members)
    .mset(pairs)
    .exec();
}

/** Milliseconds of each PING. */
async function ping(stage: Stage, over: AbortSignal): Promise<readonly number[]> {
  const redis = stage.connect();
  const times: number[] = [];
  while (!over.aborted) {
    const at = performance.now();
    await redis.ping();
    times.push(performance.now() - at);
    await stage.pause(5);
  }
  return times;
}

function checkSteps(stage: Stage, count: number): void {
  const moved = stage.lines().flatMap((line) => (line.event === 'recover-answered' ? [line.putBack] : []));
  const sum = moved.reduce((total, each) => total + each, 0);
  must(sum === count, `expected ${count} to be put back, got ${sum}`);
  const most = Math.max(...moved);
  must(most <= mostAtOnce, `expected at most ${mostAtOnce} by one call, got ${most}`);
}

/** The row wants 50 ms for 99 of 100. Beside other rows, on few processors, a PING waits for more than Redis. */
function checkPings(times: readonly number[], share: number): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  must(at < 50, `expected a PING within 50 ms for ${share * 100} %, and it took ${at.toFixed(1)} ms`);
}

export const row: Row = {
  number: 22,
  fault: 'very many orphans at once',
  holds: ['S3', 'S5', 'L1', 'L3'],
  run,
};
