/** Where the Redis of a Config is. */
import type { RedisLocation } from '@tsq/core';
import type { Config } from './config.js';

export function locationOf({ redisUrl, sentinel }: Config): RedisLocation {
  return { url: redisUrl, sentinel };
}
