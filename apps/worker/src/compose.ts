/** DRAFT */
import { type Logger, openConnection } from '@tsq/core';
import type { Composition } from './composition.js';
import type { Config } from './config.js';
import type { AnyWorker } from './load-workers.js';
import { RedisGate } from './redis-gate.js';
import { withoutPassword } from './redis-url.js';

export interface ComposeParts {
  readonly config: Config;
  readonly workers: readonly AnyWorker[];
  readonly logger: Logger;
  readonly onSignal: (name: string) => void;
}

export function compose({ config, logger }: ComposeParts): Composition {
  const gate = new RedisGate({
    redis: openConnection({ url: config.redisUrl }, { name: 'tsq', logger }),
    shownUrl: withoutPassword(config.redisUrl),
    patience: config.failFast ? 'short' : 'endless',
    logger,
  });
  return {
    identity: `${config.hostName}:${process.pid}:0`,
    start: () => gate.start(),
    quiet: () => gate.quiet(),
    stop: () => gate.stop(),
    running: () => [],
  };
}
