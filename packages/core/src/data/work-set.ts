/**
 * What the fleet runs, as of each process' last beat: at most 10 s old. Sidekiq up to 6.4.1 writes it under `ID:workers`, later
 * ones under `ID:work`, tsq under both; 6.0.0 puts the payload there as an object, all others as a string.
 */
import type { Redis } from 'ioredis';
import { cancelJob } from '../cancellation.js';
import { TsqError } from '../errors.js';
import { JsonFields } from '../json-fields.js';
import { scanJsonObject } from '../json-object.js';
import { keys } from '../keys.js';
import { JobRecord } from './job-record.js';
import { repliesOf } from './replies.js';

/** A job that runs. */
export interface Work {
  /** Identity of its process. */
  readonly process: string;
  /** Thread of Ruby's, slot of tsq's. */
  readonly thread: string;
  readonly queue: string;
  readonly runAt: Date;
  /** Its bytes are the payload's; where a process of Sidekiq 6.0.0 wrote it, as that process wrote it anew. */
  readonly job: JobRecord;
}

/** Levels of the entry, and of the payload in it. */
const maxDepth = 102;

/** What the connection throws, each method throws. */
export class WorkSet {
  constructor(private readonly redis: Redis) {}

  /** Process by process. What can't be read as an entry is left out. */
  async *each(): AsyncGenerator<Work, void, undefined> {
    for (const process of (await this.redis.smembers(keys.processes)).sort()) {
      yield* await this.workOf(process);
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Work, void, undefined> {
    return this.each();
  }

  /** Sum of what the processes say: it may differ from what `each` gives a moment later. */
  async size(): Promise<number> {
    const commands = this.redis.pipeline();
    for (const process of await this.redis.smembers(keys.processes))
      commands.hget(keys.process(process), 'busy');
    const replies = await repliesOf(commands);
    return replies.reduce((sum: number, busy) => sum + (Number.parseInt(String(busy), 10) || 0), 0);
  }

  /**
   * Cancels a job, in whichever process it runs, or where it waits: see `cancelJob`.
   * @param namespace of the tracker's keys, when it is not `tsq`
   * @throws TSQ_JOB_INVALID an empty jid; TSQ_REDIS_UNAVAILABLE: it may be cancelled or not
   */
  async cancel(jid: string, namespace?: string): Promise<void> {
    await cancelJob(this.redis, jid, namespace);
  }

  private async workOf(process: string): Promise<readonly Work[]> {
    const [old, current] = await repliesOf(
      this.redis.pipeline().hgetallBuffer(keys.workers(process)).hgetallBuffer(keys.work(process)),
    );
    const entries = new Map([...fieldsOf(old), ...fieldsOf(current)]);
    return [...entries].flatMap(([thread, json]) => workIn(json, process, thread) ?? []);
  }
}

function fieldsOf(reply: unknown): readonly [string, Buffer][] {
  if (typeof reply !== 'object' || reply === null) return [];
  return Object.entries(reply).filter((field): field is [string, Buffer] => Buffer.isBuffer(field[1]));
}

function workIn(json: Buffer, process: string, thread: string): Work | undefined {
  try {
    const entry = new JsonFields(scanJsonObject(json, maxDepth));
    const queue = entry.string('queue');
    const payload = entry.raw('payload');
    if (queue === undefined || payload === undefined) return undefined;
    const text = entry.string('payload');
    const job = new JobRecord(text === undefined ? payload : Buffer.from(text), queue);
    return { process, thread, queue, runAt: new Date((entry.integer('run_at') ?? 0) * 1000), job };
  } catch (error) {
    if (error instanceof TsqError) return undefined;
    throw error;
  }
}
