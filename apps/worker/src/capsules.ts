/** The capsules that a Config describes: that of the top level, which Sidekiq calls `default`, and those with a name. */
import { QueueOrder } from '@tsq/worker';
import type { Config } from './config.js';

/** One set of slots with queues of its own. */
export interface Capsule {
  readonly name: string;
  /** Jobs at once. */
  readonly concurrency: number;
  readonly order: QueueOrder;
}

/**
 * That of the top level first.
 * @throws TSQ_CONFIG_INVALID
 */
export function capsulesOf({ capsules, ...top }: Config): readonly [Capsule, ...Capsule[]] {
  const named = Object.entries(capsules).map(([name, own]) => capsuleOf(name, own));
  return [capsuleOf('default', top), ...named];
}

function capsuleOf(name: string, own: Pick<Config, 'queues' | 'concurrency'>): Capsule {
  return { name, concurrency: own.concurrency, order: new QueueOrder(own.queues) };
}
