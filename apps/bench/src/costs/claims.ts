/**
 * What claims cost: the memory of a job while it is claimed, and the recovery of all that a dead instance held. The claims are
 * made by the fetcher of a worker, and put back by a Recoverer.
 */
import { Recoverer } from '@tsq/recovery';
import { Instance, Keyspace, TrackingFetcher } from '@tsq/tracker';
import type { PrivateRedis } from '../private-redis.js';
import { until } from '../worker-process.js';
import { between, longestScript, readMeter, resetLongest } from './redis-meter.js';

export interface ClaimCosts {
  readonly jobs: number;
  readonly payloadBytes: number;
  readonly queuedBytesPerJob: number;
  readonly claimedBytesPerJob: number;
  readonly recoveryMs: number;
  readonly recoveryMicrosecondsPerJob: number;
  readonly longestScriptMicroseconds: number;
  /** What is remembered of a job that was recovered, until it ends. */
  readonly countedBytesPerJob: number;
}

const keyspace = new Keyspace();

/** @param argBytes of one argument, which makes payloads of any size */
export async function claimCosts(redis: PrivateRedis, jobs: number, argBytes: number): Promise<ClaimCosts> {
  const { admin, url } = redis;
  await admin.flushall();
  const empty = await readMeter(admin);
  const payloadBytes = await fill(redis, jobs, argBytes);
  const queued = await readMeter(admin);
  const dead = new Instance('dead');
  await admin.sadd(keyspace.instances, dead.id);
  const fetcher = new TrackingFetcher({ location: { url }, instance: dead });
  await fetcher.start();
  const units = [];
  while (units.length < jobs) units.push(...(await fetcher.fetch(['default'], 500)));
  const claimed = await readMeter(admin);
  const recovery = await recoverAll(redis, jobs);
  const counted = await readMeter(admin);
  await fetcher.stop(AbortSignal.abort());
  return {
    ...{ jobs, payloadBytes },
    queuedBytesPerJob: (queued.memoryBytes - empty.memoryBytes) / jobs,
    claimedBytesPerJob: (claimed.memoryBytes - empty.memoryBytes) / jobs,
    ...recovery,
    countedBytesPerJob: (counted.memoryBytes - queued.memoryBytes) / jobs,
  };
}

async function recoverAll({ admin, url }: PrivateRedis, jobs: number) {
  const instance = new Instance('recovers');
  await admin.sadd(keyspace.instances, instance.id); // of two one is dead: no more than half
  const times = { intervalMs: 50, startDelayMs: 0, watchIntervalMs: 0 };
  const recoverer = new Recoverer({ location: { url }, instance, ...times });
  let recoveryMs = 0;
  recoverer.onRecovered(({ durationMs }) => {
    recoveryMs += durationMs;
  });
  await resetLongest(admin);
  const before = await readMeter(admin);
  await admin.set(keyspace.instance(instance.id), '1', 'EX', 600);
  await recoverer.start();
  await until('all is recovered', () => recoverer.counts.recovered === jobs);
  await recoverer.stop(AbortSignal.timeout(5_000));
  const work = between(before, await readMeter(admin));
  return {
    recoveryMs,
    recoveryMicrosecondsPerJob: work.scriptMicroseconds / jobs,
    longestScriptMicroseconds: await longestScript(admin),
  };
}

/** Answers the size of one payload. */
async function fill({ admin }: PrivateRedis, jobs: number, argBytes: number): Promise<number> {
  const payload = (id: number) =>
    `{"retry":true,"queue":"default","args":["${'x'.repeat(argBytes)}"],"class":"Noop","jid":"${id.toString(16).padStart(24, '0')}","created_at":1795466562.4969463,"enqueued_at":1795466562.4972026}`;
  for (let next = 0; next < jobs; next += 1_000) {
    const batch = Array.from({ length: Math.min(1_000, jobs - next) }, (_, i) => payload(next + i));
    await admin.lpush('queue:default', ...batch);
  }
  return payload(0).length;
}
