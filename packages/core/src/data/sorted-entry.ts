/** A job in `schedule`, `retry` or `dead`. Each action is one atomic step on these very bytes. */
import { TsqError } from '../errors.js';
import { scoreText } from '../job-encoding.js';
import { dueAtSeconds } from '../job-item.js';
import { entryId, scoreValue } from './entry-id.js';
import type { EntryMoves, Move } from './entry-moves.js';
import { JobRecord } from './job-record.js';

export class SortedEntry extends JobRecord {
  /**
   * @param score seconds since the epoch, as Redis gave it: not made a number, or it might not find the entry again
   * @param onRescheduled the reader of the set hears that the entry stands elsewhere now
   */
  constructor(
    private readonly moves: EntryMoves,
    bytes: Buffer,
    readonly score: string,
    private readonly onRescheduled: (bytes: Buffer) => void = () => undefined,
  ) {
    super(bytes);
  }

  /** `SCORE-JID`, as Sidekiq's pages name it; with nothing behind the `-` when it has no jid. */
  get id(): string {
    return entryId(this.score, this.jid);
  }

  /** When it is due; in `dead`, when it died. undefined for a score that no Date can hold. */
  get at(): Date | undefined {
    const at = new Date(scoreValue(this.score) * 1000);
    return Number.isNaN(at.getTime()) ? undefined : at;
  }

  /**
   * To the back of its queue, with one retry given back: `retry_count` goes down by 1, from 0 to -1, as in Sidekiq. A job that
   * always fails is so never out of retries; `addToQueue` leaves the count.
   * @returns false: it is not there any more, somebody else was first
   * @throws TSQ_PAYLOAD_UNREADABLE: it stays, for it says no queue; TSQ_REDIS_REFUSED when a key is of another type: it stays
   */
  retry(): Promise<boolean> {
    return this.act(this.moves.retry);
  }

  /** To the back of its queue, all else as it is. Returns and throws as `retry`. */
  addToQueue(): Promise<boolean> {
    return this.act(this.moves.addToQueue);
  }

  /**
   * To the dead set, with its bytes as they are. Death handlers are not run: those of Ruby live in Ruby processes, and this may
   * be any program; where it matters, call yours when this returned true.
   * @returns false: it is not there any more
   * @throws TSQ_REDIS_REFUSED when a key is of another type: it stays
   */
  kill(): Promise<boolean> {
    return this.act(this.moves.kill);
  }

  /** @returns false: it is not there any more */
  delete(): Promise<boolean> {
    return this.act(this.moves.delete);
  }

  /**
   * The same entry at another time.
   * @param at a Date, or seconds since the epoch
   * @returns false: it is not there any more
   * @throws TSQ_JOB_INVALID for what is no point in time
   */
  async reschedule(at: Date | number): Promise<boolean> {
    const isDone = await this.act(this.moves.reschedule(scoreText(dueAtSeconds(at))));
    if (isDone) this.onRescheduled(this.bytes);
    return isDone;
  }

  private async act(move: Move): Promise<boolean> {
    const [outcome] = await move([this.bytes]);
    if (outcome === 'unreadable') {
      const message = `entry ${this.score}: its bytes are no payload, so it has no queue. Delete it, or kill it`;
      throw new TsqError('TSQ_PAYLOAD_UNREADABLE', message);
    }
    return outcome === 'done';
  }
}
