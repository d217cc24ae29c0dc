/** One queue: the list `queue:NAME`, as any client of Sidekiq fills it. */
import type { Redis } from 'ioredis';
import { TsqError } from '../errors.js';
import { keys } from '../keys.js';
import { clearQueue } from './clear.js';
import { type PageOptions, pageBounds } from './page.js';
import { latencySeconds } from './queue-latency.js';
import { QueuePages } from './queue-pages.js';
import { QueuedJob } from './queued-job.js';
import { timeReplyMs } from './redis-time.js';
import { buffersIn, repliesOf } from './replies.js';

/** Some jobs of a queue, the oldest first, and how many there are. */
export interface QueuePage {
  readonly size: number;
  readonly jobs: readonly QueuedJob[];
}

export class Queue {
  private readonly key: string;

  /**
   * @param redis an open connection: what it throws, each method throws
   * @throws TSQ_QUEUE_NAME_INVALID
   */
  constructor(
    private readonly redis: Redis,
    readonly name: string = 'default',
  ) {
    if (typeof name !== 'string' || name === '') {
      const got = typeof name === 'string' ? 'an empty one' : typeof name;
      throw new TsqError(
        'TSQ_QUEUE_NAME_INVALID',
        `name of a queue: expected a string that is not empty, got ${got}`,
      );
    }
    this.key = keys.queue(name);
  }

  /** Every queue that a job was ever pushed to and that was not cleared, by name. */
  static async all(redis: Redis): Promise<readonly Queue[]> {
    const names = await redis.smembers(keys.queues);
    return names
      .filter((name) => name !== '')
      .sort()
      .map((name) => new Queue(redis, name));
  }

  size(): Promise<number> {
    return this.redis.llen(this.key);
  }

  /** Seconds that the oldest job has waited, by Redis' clock; 0 for an empty queue. */
  async latencySeconds(): Promise<number> {
    const [oldest, time] = await repliesOf(this.redis.pipeline().lindexBuffer(this.key, -1).time());
    return latencySeconds(Buffer.isBuffer(oldest) ? oldest : undefined, timeReplyMs(time));
  }

  /** Whether workers pass it over: those of tsq and of Sidekiq Pro. */
  async paused(): Promise<boolean> {
    return (await this.redis.sismember(keys.paused, this.name)) === 1;
  }

  /** Workers learn of it within seconds; what runs goes on. @returns false when it was paused before */
  async pause(): Promise<boolean> {
    return (await this.redis.sadd(keys.paused, this.name)) === 1;
  }

  /** @returns false when it was not paused */
  async unpause(): Promise<boolean> {
    return (await this.redis.srem(keys.paused, this.name)) === 1;
  }

  /**
   * Every job, the oldest first, in pages of 50. Jobs may come and go meanwhile: one that waits all the while is given, and
   * one that was given may be given again.
   */
  async *each(): AsyncGenerator<QueuedJob, void, undefined> {
    const pages = new QueuePages(this.redis, this.key);
    const deleteJob = async (bytes: Buffer) => {
      const was = await this.delete(bytes);
      if (was) pages.deleted(bytes);
      return was;
    };
    for (let page = await pages.next(); page.length > 0; page = await pages.next()) {
      for (const bytes of page) yield new QueuedJob(deleteJob, bytes, this.name);
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<QueuedJob, void, undefined> {
    return this.each();
  }

  /** Page `number`, from 1 on, and the size: one round trip, however long the queue is. The oldest jobs come first. */
  async page(options: PageOptions = {}): Promise<QueuePage> {
    const { first, last } = pageBounds(options);
    const commands = this.redis
      .pipeline()
      .llen(this.key)
      .lrangeBuffer(this.key, -1 - last, -1 - first);
    const [size, jobs] = await repliesOf(commands);
    const oldestFirst = buffersIn(jobs).toReversed();
    return {
      size: Number(size),
      jobs: oldestFirst.map((bytes) => new QueuedJob((job) => this.delete(job), bytes, this.name)),
    };
  }

  /** Looks through the whole queue: not for what a program does often. */
  async find(jid: string): Promise<QueuedJob | undefined> {
    for await (const job of this.each()) {
      if (job.jid === jid) return job;
    }
    return undefined;
  }

  /** Takes one job out, by its exact bytes; looks through the queue. @returns false when it is not there any more */
  async delete(bytes: Buffer): Promise<boolean> {
    return (await this.redis.lrem(this.key, -1, bytes)) === 1;
  }

  /**
   * Takes all jobs away, and the queue off the list of queues, in one step. What runs goes on.
   * @returns how many there were
   * @throws TSQ_REDIS_REFUSED when the key is no list: nothing was written
   */
  clear(): Promise<number> {
    return clearQueue(this.redis, this.name);
  }
}
