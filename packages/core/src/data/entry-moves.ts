/**
 * What can be done to entries of a sorted set. Each is one atomic step in Redis, found by the entry's exact bytes: of two who
 * act on one entry at once, one does it and the other hears `gone`. Payloads are edited here, by splices; scripts move bytes.
 */
import type { Redis } from 'ioredis';
import type { DeadSetLimits } from '../dead-set.js';
import type { Dialect } from '../dialect.js';
import { enqueueEdits, queueOf } from '../enqueue-edits.js';
import { TsqError } from '../errors.js';
import { keys } from '../keys.js';
import { LuaScript } from '../lua-script.js';
import { Payload, type PayloadEdits } from '../payload.js';
import { redisTimeMs } from './redis-time.js';
import { repliesOf } from './replies.js';
import { moveToDead } from './to-dead.js';
import { wrongType } from './wrong-type.js';

const toQueues = new LuaScript(new URL('./to-queues.lua', import.meta.url));
const toTime = new LuaScript(new URL('./to-time.lua', import.meta.url));

/** `gone`: somebody else was first. `unreadable`: no payload, so it has no queue; it was left where it is. */
export type MoveOutcome = 'done' | 'gone' | 'unreadable';

/** One outcome for each entry, in their order. */
export type Move = (entries: readonly Buffer[]) => Promise<readonly MoveOutcome[]>;

interface Arrival {
  readonly bytes: Buffer;
  readonly queue: string;
  readonly enqueued: Buffer;
}

export class EntryMoves {
  constructor(
    private readonly redis: Redis,
    private readonly key: string,
    private readonly dialect: Dialect,
    private readonly dead: DeadSetLimits,
  ) {}

  /** To their queues, each with one retry given back: `retry_count` less 1, so -1 after the first failure, as in Sidekiq. */
  readonly retry: Move = (entries) => this.enqueue(entries, oneRetryLess);

  /** To their queues, with the count as it is. */
  readonly addToQueue: Move = (entries) => this.enqueue(entries, () => ({}));

  readonly kill: Move = async (entries) => {
    const outcomes = await moveToDead(this.redis, this.key, entries, this.dead);
    if (outcomes.includes('stuck')) throw wrongType([this.key, keys.dead]);
    return outcomes.filter((outcome) => outcome !== 'stuck');
  };

  readonly delete: Move = async (entries) => {
    const commands = this.redis.pipeline();
    for (const bytes of entries) commands.zrem(this.key, bytes);
    return this.outcomes(await repliesOf(commands), [this.key]);
  };

  /** @param score seconds as decimal text */
  reschedule(score: string): Move {
    return async (entries) =>
      this.outcomes(await toTime.run(this.redis, [this.key], [score, ...entries]), [this.key]);
  }

  private async enqueue(
    entries: readonly Buffer[],
    edits: (payload: Payload) => PayloadEdits,
  ): Promise<readonly MoveOutcome[]> {
    const nowMs = await redisTimeMs(this.redis);
    const arrivals = entries.map((bytes) => this.arrival(bytes, nowMs, edits));
    const readable = arrivals.filter((arrival) => arrival !== undefined);
    const moved = (await this.moveToQueues(readable)).values();
    return arrivals.map((arrival) => (arrival === undefined ? 'unreadable' : (moved.next().value ?? 'gone')));
  }

  private arrival(
    bytes: Buffer,
    nowMs: number,
    edits: (payload: Payload) => PayloadEdits,
  ): Arrival | undefined {
    try {
      const payload = Payload.parse(bytes);
      const all = { ...edits(payload), ...enqueueEdits(payload, nowMs, this.dialect) };
      return { bytes, queue: queueOf(payload), enqueued: payload.edit(all) };
    } catch (error) {
      if (error instanceof TsqError) return undefined;
      throw error;
    }
  }

  private async moveToQueues(arrivals: readonly Arrival[]): Promise<readonly MoveOutcome[]> {
    if (arrivals.length === 0) return [];
    const names = [...new Set(arrivals.map(({ queue }) => queue))];
    const numberOf = new Map(names.map((name, at) => [name, at + 1]));
    const keysOfMove = [this.key, keys.queues, ...names.map(keys.queue)];
    const reply = await toQueues.run(this.redis, keysOfMove, [
      names.length,
      ...names,
      ...arrivals.flatMap(({ bytes, queue, enqueued }) => [numberOf.get(queue) ?? 0, bytes, enqueued]),
    ]);
    return this.outcomes(reply, keysOfMove);
  }

  /** @throws TSQ_REDIS_REFUSED when one could not be moved; those that could, were */
  private outcomes(reply: unknown, involved: readonly string[]): readonly MoveOutcome[] {
    const answers = Array.isArray(reply) ? reply.map(Number) : [];
    if (answers.includes(-1)) throw wrongType(involved);
    return answers.map((answer) => (answer === 1 ? 'done' : 'gone'));
  }
}

function oneRetryLess(payload: Payload): PayloadEdits {
  const count = payload.integer('retry_count');
  return count === undefined ? {} : { retry_count: String(count - 1) };
}
