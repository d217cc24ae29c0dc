/** What a fleet costs Redis while it has nothing to do: real processes that idle, one beat, and one look at a large fleet. */
import { setTimeout as delay } from 'node:timers/promises';
import { Heartbeat, Recoverer, Recovery } from '@tsq/recovery';
import { Instance, type InstanceId, Keyspace } from '@tsq/tracker';
import type { Contestant } from '../contestant.js';
import type { PrivateRedis } from '../private-redis.js';
import { startWorker, stopWorker, until } from '../worker-process.js';
import { between, readMeter } from './redis-meter.js';

const keyspace = new Keyspace();

export interface IdleCosts {
  readonly processes: number;
  readonly connectionsPerProcess: number;
  readonly commandsPerSecond: number;
  readonly readsPerSecond: number;
  readonly redisCpuPercent: number;
  /** Of its keys in the namespace. */
  readonly bytesPerProcess: number;
}

/** All figures but the first three are of the whole fleet. */
export async function idleCosts(
  redis: PrivateRedis,
  idler: Contestant,
  processes: number,
  seconds: number,
): Promise<IdleCosts> {
  const { admin } = redis;
  await admin.flushall();
  const others = Number(/connected_clients:(\d+)/.exec(await admin.info('clients'))?.[1]);
  const workers = Array.from({ length: processes }, () => startWorker(redis, idler, {}));
  try {
    await until('all are up', async () => (await admin.scard('processes')) === processes);
    await delay(8_000); // the first pass comes 5 s after the start
    const connected = Number(/connected_clients:(\d+)/.exec(await admin.info('clients'))?.[1]);
    const before = await readMeter(admin);
    await delay(seconds * 1_000);
    const work = between(before, await readMeter(admin));
    const keys = await admin.keys(`${keyspace.namespace}:*`);
    const sizes = await Promise.all(keys.map((key) => admin.memory('USAGE', key)));
    return {
      processes,
      connectionsPerProcess: (connected - others) / processes,
      commandsPerSecond: (work.commands + work.scripts) / seconds,
      readsPerSecond: work.reads / seconds,
      redisCpuPercent: work.cpuMicroseconds / seconds / 10_000,
      bytesPerProcess: sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0) / processes,
    };
  } finally {
    await Promise.all(workers.map(stopWorker));
  }
}

export interface BeatCosts {
  readonly beats: number;
  readonly microsecondsPerBeat: number;
  readonly netBytesPerBeat: number;
}

export async function beatCosts({ admin, url }: PrivateRedis): Promise<BeatCosts> {
  await admin.flushall();
  const heartbeat = new Heartbeat({
    location: { url },
    instance: new Instance('beats'),
    intervalMs: 2,
    ttlMs: 60_000,
  });
  await heartbeat.start();
  await until('it beats steadily', () => heartbeat.counts.beats > 200);
  const before = await readMeter(admin);
  await delay(5_000);
  const work = between(before, await readMeter(admin));
  await heartbeat.stop(AbortSignal.timeout(5_000));
  const beats = work.scripts;
  return {
    beats,
    microsecondsPerBeat: work.scriptMicroseconds / beats,
    netBytesPerBeat: work.netBytes / beats,
  };
}

export interface LookCosts {
  readonly instances: number;
  /** Of Redis' time. */
  readonly passMicroseconds: number;
  readonly inspectMicroseconds: number;
  /** As who asks sees it. */
  readonly inspectMs: number;
}

/** A fleet of that many that live and hold nothing: what a pass and `Recovery.inspect` cost. */
export async function lookCosts({ admin, url }: PrivateRedis, instances: number): Promise<LookCosts> {
  await admin.flushall();
  for (let number = 0; number < instances; number += 1) {
    const id = `pod-${number}-0123456789ab` as InstanceId;
    await admin.sadd(keyspace.instances, id);
    await admin.set(keyspace.instance(id), '1795466562.496946', 'EX', 600);
  }
  const passing = await passMicroseconds(url, admin);
  const recovery = new Recovery(admin);
  await recovery.inspect();
  const before = await readMeter(admin);
  const rounds = 50;
  const begin = performance.now();
  for (let round = 0; round < rounds; round += 1) await recovery.inspect();
  const inspectMs = (performance.now() - begin) / rounds;
  const work = between(before, await readMeter(admin));
  return {
    instances,
    passMicroseconds: passing,
    inspectMicroseconds: work.scriptMicroseconds / rounds,
    inspectMs,
  };
}

async function passMicroseconds(url: string, admin: PrivateRedis['admin']): Promise<number> {
  const times = { intervalMs: 10, startDelayMs: 0, watchIntervalMs: 0 };
  const recoverer = new Recoverer({ location: { url }, instance: new Instance('looks'), ...times });
  await recoverer.start();
  await until('it passes', () => recoverer.counts.passes > 5);
  const first = recoverer.counts.passes;
  const before = await readMeter(admin);
  await until('it has passed 200 times', () => recoverer.counts.passes >= first + 200);
  const passes = recoverer.counts.passes - first;
  const work = between(before, await readMeter(admin));
  await recoverer.stop(AbortSignal.timeout(5_000));
  return work.scriptMicroseconds / passes;
}
