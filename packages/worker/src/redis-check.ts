/** What is asked of a Redis before any job is taken from it. */
import { type Logger, TsqError, unavailable } from '@tsq/core';
import type { Redis } from 'ioredis';

/** LMOVE, ZMSCORE and RPOP with a count are from 6.2. */
const oldest = { major: 6, minor: 2 };

/** As far as Redis says so: a managed one may hide its policy. */
export interface RedisFacts {
  /** Of the protocol; Valkey says which Redis it is like. */
  readonly version: string;
  readonly maxmemoryPolicy: string | undefined;
}

/**
 * Warns when keys may be evicted, for then Redis loses jobs on its own.
 * @throws TSQ_REDIS_UNSUITABLE older than 6.2; TSQ_REDIS_UNAVAILABLE
 */
export async function checkRedis(redis: Redis, logger: Logger): Promise<RedisFacts> {
  const facts = await readFacts(redis);
  checkVersion(facts.version);
  if (facts.maxmemoryPolicy !== undefined && facts.maxmemoryPolicy !== 'noeviction') {
    logger.warn(
      { maxmemoryPolicy: facts.maxmemoryPolicy },
      'Redis may evict jobs when its memory is full. Set maxmemory-policy to noeviction',
    );
  }
  return facts;
}

async function readFacts(redis: Redis): Promise<RedisFacts> {
  try {
    const [server, memory] = await Promise.all([redis.info('server'), redis.info('memory')]);
    return {
      version: field(server, 'redis_version') ?? '',
      maxmemoryPolicy: field(memory, 'maxmemory_policy'),
    };
  } catch (error) {
    throw unavailable('INFO', error);
  }
}

/**
 * @param version as INFO tells it; '' when it does not
 * @throws TSQ_REDIS_UNSUITABLE
 */
export function checkVersion(version: string): void {
  const [major = Number.NaN, minor = Number.NaN] = version.split('.').map(Number);
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return;
  const got = version === '' ? 'one that does not tell its version' : version;
  throw new TsqError(
    'TSQ_REDIS_UNSUITABLE',
    `Redis: expected ${oldest.major}.${oldest.minor} or newer (or Valkey), got ${got}; upgrade the server`,
  );
}

function field(info: string, name: string): string | undefined {
  const line = info.split('\r\n').find((candidate) => candidate.startsWith(`${name}:`));
  return line?.slice(name.length + 1);
}
