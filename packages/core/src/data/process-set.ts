/** The processes of the fleet that said within the last minute that they live. */
import type { Redis } from 'ioredis';
import { keys } from '../keys.js';
import { removeGoneProcesses } from './gone-processes.js';
import { Process, type ProcessHash, processFields } from './process.js';
import { repliesOf } from './replies.js';

/** Hashes that one round trip reads. */
const pageSize = 100;

/** What the connection throws, each method throws. */
export class ProcessSet {
  constructor(private readonly redis: Redis) {}

  /** By identity. One that went without a goodbye is left out as soon as its hash has expired. */
  async *each(): AsyncGenerator<Process, void, undefined> {
    const identities = await this.identities();
    for (let at = 0; at < identities.length; at += pageSize) {
      yield* await this.read(identities.slice(at, at + pageSize));
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Process, void, undefined> {
    return this.each();
  }

  /** Of the list: those included that went without a goodbye and were not cleaned up yet. */
  size(): Promise<number> {
    return this.redis.scard(keys.processes);
  }

  /** Jobs that the fleet runs at once. */
  async totalConcurrency(): Promise<number> {
    let total = 0;
    for await (const { concurrency } of this) total += concurrency;
    return total;
  }

  async totalRssKibibytes(): Promise<number> {
    let total = 0;
    for await (const { rssKibibytes } of this) total += rssKibibytes;
    return total;
  }

  /** Identity of Sidekiq Enterprise's leader; '' when there is none, which is always so without Enterprise. */
  async leader(): Promise<string> {
    return (await this.redis.get(keys.leader)) ?? '';
  }

  /**
   * Takes processes off the list whose hash has expired: they went without a goodbye. The fleet does so by itself, once a minute
   * at most; whoever was first in this minute did it for all.
   * @returns how many it took off
   */
  async cleanup(): Promise<number> {
    return (await removeGoneProcesses(this.redis)).length;
  }

  private async identities(): Promise<readonly string[]> {
    return (await this.redis.smembers(keys.processes)).sort();
  }

  private async read(identities: readonly string[]): Promise<readonly Process[]> {
    const commands = this.redis.pipeline();
    for (const identity of identities) commands.hmget(keys.process(identity), ...processFields);
    const replies = await repliesOf(commands);
    return identities.flatMap((identity, at) => {
      const hash = hashOf(replies[at]);
      return hash.info === null ? [] : [new Process(this.redis, identity, hash)];
    });
  }
}

function hashOf(reply: unknown): ProcessHash {
  const values: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const text = (at: number) => (typeof values[at] === 'string' ? values[at] : null);
  const [info, concurrency, busy, beat, quiet, rss, rtt] = processFields.map((_, at) => text(at));
  return {
    ...{ info: info ?? null, concurrency: concurrency ?? null, busy: busy ?? null, beat: beat ?? null },
    ...{ quiet: quiet ?? null, rss: rss ?? null, rtt_us: rtt ?? null },
  };
}
