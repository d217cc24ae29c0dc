/** Whether a drill can be done on a Redis at all: asked before anything is started or written. */
import { type RedisLocation, silentLogger, TsqError, unavailable } from '@tsq/core';
import { checkRedis } from '@tsq/worker';
import type { Redis } from 'ioredis';
import { reach } from '../reach.js';

/** What is worth a remark before the drill. */
export type Warnings = readonly string[];

/** @throws TSQ_REDIS_UNAVAILABLE, TSQ_REDIS_UNSUITABLE: with what to do */
export async function checkFitness(redis: Redis, location: RedisLocation): Promise<Warnings> {
  await reach(redis, location);
  const warnings: string[] = [];
  await checkRedis(redis, { ...silentLogger, warn: (_fields, message) => warnings.push(message) });
  const [cluster, memory] = await infoOf(redis, ['cluster', 'memory']);
  if (cluster.get('cluster_enabled') === '1') {
    throw unsuitable('expected a single server, got a cluster; name one that your workers could use');
  }
  const [used, most] = [Number(memory.get('used_memory')), Number(memory.get('maxmemory'))];
  if (most > 0 && used >= most) {
    throw unsuitable(
      `its memory is full (${used} of ${most} bytes): it would refuse the drill's jobs; raise maxmemory`,
    );
  }
  return warnings;
}

async function infoOf(redis: Redis, sections: readonly [string, string]) {
  const texts = await Promise.all(sections.map((section) => redis.info(section))).catch((error: unknown) => {
    throw unavailable('INFO', error);
  });
  const [first = new Map(), second = new Map()] = texts.map(fieldsOf);
  return [first, second] as const;
}

function fieldsOf(info: string): ReadonlyMap<string, string> {
  const pairs = info.split('\r\n').map((line) => line.split(':', 2) as [string, string?]);
  return new Map(pairs.map(([name, value]) => [name, value ?? '']));
}

function unsuitable(message: string): TsqError {
  return new TsqError('TSQ_REDIS_UNSUITABLE', `Redis: ${message}`);
}
