/**
 * The counters of a fleet, as Sidekiq's dashboards show them. Two round trips, whatever the number of queues and processes;
 * the figures of the second may be a moment younger than those of the first.
 */
import type { Redis } from 'ioredis';
import { keys } from '../keys.js';
import { latencySeconds } from './queue-latency.js';
import { timeReplyMs } from './redis-time.js';
import { repliesOf } from './replies.js';

export interface StatsSnapshot {
  /** Executions that ended, failures included, since the last reset. */
  readonly processed: number;
  /** Executions that threw. */
  readonly failed: number;
  /** Jobs in all queues. */
  readonly enqueued: number;
  readonly scheduledSize: number;
  readonly retrySize: number;
  readonly deadSize: number;
  /** Processes in the list, those included that went without a goodbye and were not pruned yet. */
  readonly processesSize: number;
  /** Jobs that run, as of each process' last beat. */
  readonly workersSize: number;
  /** How long the oldest job of `default` has waited, by Redis' clock. */
  readonly defaultQueueLatencySeconds: number;
  /** Size by queue, the largest first. */
  readonly queues: ReadonlyMap<string, number>;
}

export type Counter = 'processed' | 'failed';

export class Stats {
  constructor(private readonly redis: Redis) {}

  /** @throws what the connection throws */
  async fetch(): Promise<StatsSnapshot> {
    const [processed, failed, scheduled, retry, dead, oldest, time, processes, queues] = await repliesOf(
      this.redis
        .pipeline()
        .get(keys.processed)
        .get(keys.failed)
        .zcard(keys.schedule)
        .zcard(keys.retry)
        .zcard(keys.dead)
        .lindexBuffer(keys.queue('default'), -1)
        .time()
        .smembers(keys.processes)
        .smembers(keys.queues),
    );
    const identities = texts(processes);
    const { busy, sizes } = await this.fetchSizes(identities, texts(queues));
    return {
      processed: count(processed),
      failed: count(failed),
      enqueued: sizes.reduce((sum, [, size]) => sum + size, 0),
      scheduledSize: Number(scheduled),
      retrySize: Number(retry),
      deadSize: Number(dead),
      processesSize: identities.length,
      workersSize: busy,
      defaultQueueLatencySeconds: latencySeconds(
        Buffer.isBuffer(oldest) ? oldest : undefined,
        timeReplyMs(time),
      ),
      queues: new Map(sizes),
    };
  }

  /** Size by queue, the largest first. @throws what the connection throws */
  async queues(): Promise<ReadonlyMap<string, number>> {
    const { sizes } = await this.fetchSizes([], await this.redis.smembers(keys.queues));
    return new Map(sizes);
  }

  /** Sets the totals to 0: both, or those that are named. The counts of the days stay. @throws what the connection throws */
  async reset(...counters: readonly Counter[]): Promise<void> {
    const named: readonly Counter[] = counters.length === 0 ? ['failed', 'processed'] : counters;
    await this.redis.mset(...named.flatMap((counter) => [keys[counter], 0]));
  }

  private async fetchSizes(identities: readonly string[], queues: readonly string[]) {
    const commands = this.redis.pipeline();
    for (const identity of identities) commands.hget(keys.process(identity), 'busy');
    for (const queue of queues) commands.llen(keys.queue(queue));
    const replies = await repliesOf(commands);
    const busy = replies.slice(0, identities.length).reduce((sum: number, reply) => sum + count(reply), 0);
    const sizes = queues.map((queue, at): [string, number] => [
      queue,
      count(replies[identities.length + at]),
    ]);
    return { busy, sizes: sizes.sort(([, a], [, b]) => b - a) };
  }
}

/** As Ruby's to_i: what is no number counts 0. */
function count(reply: unknown): number {
  return Number.parseInt(String(reply), 10) || 0;
}

function texts(reply: unknown): readonly string[] {
  return Array.isArray(reply) ? reply.filter((item) => typeof item === 'string') : [];
}
