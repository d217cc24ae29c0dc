/**
 * Moves what is due from one sorted set to its queues, in batches. The bytes of a payload change only where `enqueueEdits`
 * has something to say; error fields stay. Lua moves whole payloads and looks into none.
 *
 * Client middleware is not run, unlike in Ruby: a promotion is no new push, and a middleware that drops or fails here
 * would lose the job.
 */
import {
  buffersIn,
  type DeadSetLimits,
  type Dialect,
  enqueueEdits,
  faultPoint,
  keys,
  type Logger,
  LuaScript,
  moveToDead,
  Payload,
  queueOf,
  TsqError,
} from '@tsq/core';
import type { Redis } from 'ioredis';

const dueScript = new LuaScript(new URL('./due.lua', import.meta.url));
const promoteScript = new LuaScript(new URL('./promote.lua', import.meta.url));

export type DueSet = typeof keys.retry | typeof keys.schedule;

export interface PromotionSettings {
  readonly dialect: Dialect;
  /** Entries per round trip, at most 1000. */
  readonly batchSize: number;
  /** A batch ends early once it is longer. */
  readonly maxBatchBytes: number;
  readonly dead: DeadSetLimits;
}

/** What became of one batch. */
export interface BatchResult {
  readonly promoted: number;
  /** To `dead`, because they are no payloads. */
  readonly buried: number;
  /** Left in their set, because a key that they need holds another type. */
  readonly stuck: number;
  /** This look at the set is over: nothing more is due, or another process is at it. */
  readonly isLast: boolean;
}

interface Due {
  readonly nowMs: number;
  readonly more: boolean;
  readonly entries: readonly Buffer[];
}

interface Entry {
  readonly bytes: Buffer;
  readonly queue: string;
  readonly promoted: Buffer;
}

interface Moved {
  readonly moved: number;
  readonly stuck: number;
}

interface Sorted {
  readonly readable: readonly Entry[];
  readonly unreadable: readonly Buffer[];
}

export class Promotion {
  constructor(
    private readonly redis: Redis,
    private readonly settings: PromotionSettings,
    private readonly logger: Logger,
  ) {}

  /**
   * The next batch of one look at `set`; one call of a script reads it, one or two move it.
   * @param passedOver entries of this look that could not be moved: they still stand among the earliest
   * @throws what the connection throws; each entry is then in its set or on its queue
   */
  async moveBatch(set: DueSet, passedOver: number): Promise<BatchResult> {
    const { nowMs, more, entries } = await this.due(set, passedOver);
    const { readable, unreadable } = this.sort(entries, nowMs);
    if (entries.length > 0) faultPoint('promote.mid');
    const buried = await this.bury(set, unreadable);
    const promoted = await this.promote(set, readable);
    const stuck = promoted.stuck + buried.stuck;
    // When others have moved all that was read here, they are at it: a fleet that races for each batch only keeps Redis busy.
    const isAlone = promoted.moved + buried.moved + stuck > 0;
    return { promoted: promoted.moved, buried: buried.moved, stuck, isLast: !more || !isAlone };
  }

  private async due(set: DueSet, offset: number): Promise<Due> {
    const { batchSize, maxBatchBytes } = this.settings;
    const reply = await dueScript.run(this.redis, [set], [offset, batchSize, maxBatchBytes]);
    const [now, more, ...entries] = buffersIn(reply);
    return { nowMs: Number(now?.toString()), more: more?.toString() === '1', entries };
  }

  private sort(due: readonly Buffer[], nowMs: number): Sorted {
    const readable: Entry[] = [];
    const unreadable: Buffer[] = [];
    for (const bytes of due) {
      try {
        const payload = Payload.parse(bytes);
        const edits = enqueueEdits(payload, nowMs, this.settings.dialect);
        readable.push({ bytes, queue: queueOf(payload), promoted: payload.edit(edits) });
      } catch (error) {
        if (!(error instanceof TsqError)) throw error;
        this.logger.error(
          { err: error, bytes: bytes.length },
          'An entry that is due can not be read; it goes to the dead set',
        );
        unreadable.push(bytes);
      }
    }
    return { readable, unreadable };
  }

  private async promote(set: DueSet, entries: readonly Entry[]): Promise<Moved> {
    if (entries.length === 0) return { moved: 0, stuck: 0 };
    const queues = [...new Set(entries.map((entry) => entry.queue))];
    const numberOf = new Map(queues.map((queue, index) => [queue, index + 1]));
    const reply = await promoteScript.run(
      this.redis,
      [set, keys.queues, ...queues.map(keys.queue)],
      [
        queues.length,
        ...queues,
        ...entries.flatMap(({ bytes, queue, promoted }) => [numberOf.get(queue) ?? 0, bytes, promoted]),
      ],
    );
    const answers = Array.isArray(reply) ? reply : [];
    const stuck = entries.filter((_, index) => answers[index] === -1);
    this.reportStuck(
      set,
      stuck.map((entry) => keys.queue(entry.queue)),
    );
    return { moved: answers.filter((answer) => answer === 1).length, stuck: stuck.length };
  }

  private async bury(set: DueSet, unreadable: readonly Buffer[]): Promise<Moved> {
    if (unreadable.length === 0) return { moved: 0, stuck: 0 };
    const outcomes = await moveToDead(this.redis, set, unreadable, this.settings.dead);
    const stuck = outcomes.filter((outcome) => outcome === 'stuck');
    this.reportStuck(
      set,
      stuck.map(() => keys.dead),
    );
    return { moved: outcomes.filter((outcome) => outcome === 'done').length, stuck: stuck.length };
  }

  private reportStuck(set: DueSet, stuck: readonly string[]): void {
    if (stuck.length === 0) return;
    this.logger.error(
      { set, entries: stuck.length, keys: [...new Set(stuck)] },
      'Entries are due and can not be moved: a key is of another type than Sidekiq gives it. Move that key away',
    );
  }
}
