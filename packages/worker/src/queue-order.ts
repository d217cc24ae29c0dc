/**
 * In which order a fetch looks at the queues, as Sidekiq has it: strict is the order given; weighted and random draw a
 * fresh order for each fetch, so that no queue starves.
 *
 * Sidekiq repeats each name by its weight, shuffles, and drops the doubles. Drawing name by name with its weight, without
 * putting it back, has the same distribution and costs nothing for the size of a weight; a test compares the two.
 */
import { TsqError } from '@tsq/core';

export interface WeightedQueue {
  readonly name: string;
  /** Integer; 0, as when none is given (`-q critical`): the queue has no weight. */
  readonly weight: number;
}

export type QueueMode = 'strict' | 'weighted' | 'random';

/**
 * What Sidekiq derives from the weights: none has one (`-q a -q b`) strict; all have 1 random; else weighted, where a queue
 * without a weight counts as 1. 6.x knows no word for random, and shuffles the same.
 */
export function queueMode(queues: readonly WeightedQueue[]): QueueMode {
  if (queues.every((queue) => queue.weight === 0)) return 'strict';
  if (queues.every((queue) => queue.weight === 1)) return 'random';
  return 'weighted';
}

export class QueueOrder {
  readonly mode: QueueMode;
  /** Each queue once, in the order given. */
  readonly names: readonly string[];
  private readonly shares: readonly number[];

  /**
   * @param queues at least one; a name that stands twice adds its weights, as in Sidekiq
   * @param random in [0, 1)
   * @throws TSQ_CONFIG_INVALID no queue, an empty name, a private list of Sidekiq Pro (`sq|…`), a weight that is no integer from 0 up
   */
  constructor(
    readonly queues: readonly WeightedQueue[],
    private readonly random: () => number = Math.random,
  ) {
    checkQueues(queues);
    this.mode = queueMode(queues);
    const shareOf = new Map<string, number>();
    for (const { name, weight } of queues) {
      shareOf.set(name, (shareOf.get(name) ?? 0) + Math.max(weight, 1));
    }
    this.names = [...shareOf.keys()];
    this.shares = [...shareOf.values()];
  }

  /** The order for one fetch. Called per batch; the caller must not change it. */
  next(): readonly string[] {
    return this.mode === 'strict' || this.names.length === 1 ? this.names : this.draw();
  }

  private draw(): readonly string[] {
    const names = [...this.names];
    const shares = [...this.shares];
    let total = shares.reduce((sum, share) => sum + share, 0);
    for (let place = 0; place < names.length - 1; place += 1) {
      const drawn = indexAt(shares, place, this.random() * total);
      total -= shares[drawn] ?? 0;
      swap(names, place, drawn);
      swap(shares, place, drawn);
    }
    return names;
  }
}

/** The index, from `first` on, whose share the point lies in. */
function indexAt(shares: readonly number[], first: number, point: number): number {
  let rest = point;
  for (let index = first; index < shares.length; index += 1) {
    rest -= shares[index] ?? 0;
    if (rest < 0) return index;
  }
  return shares.length - 1;
}

function swap<T>(list: T[], a: number, b: number): void {
  const [left, right] = [list[a], list[b]];
  if (left === undefined || right === undefined) return;
  list[a] = right;
  list[b] = left;
}

function checkQueues(queues: readonly WeightedQueue[]): void {
  if (queues.length === 0) {
    throw new TsqError('TSQ_CONFIG_INVALID', 'queues: expected at least one, got none; add "default"');
  }
  for (const { name, weight } of queues) {
    if (name === '') {
      throw new TsqError('TSQ_CONFIG_INVALID', 'queues: expected a name, got the empty string');
    }
    if (name.startsWith('sq|')) {
      const got = `queues: expected a queue, got "${name}", a private list of a Sidekiq Pro process`;
      throw new TsqError('TSQ_CONFIG_INVALID', `${got}; its jobs are being worked on`);
    }
    if (!Number.isSafeInteger(weight) || weight < 0) {
      const got = `queue "${name}": expected as weight an integer from 0 up, got ${weight}`;
      throw new TsqError('TSQ_CONFIG_INVALID', `${got}; 0 stands for no weight`);
    }
  }
}
