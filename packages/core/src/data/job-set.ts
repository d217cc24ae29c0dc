/**
 * What `schedule`, `retry` and `dead` have in common: entries, unique by their bytes, each with a second. Everything is read in
 * pages, and found again by the exact bytes: a set of a million entries is never held as a whole.
 */
import type { Redis } from 'ioredis';
import { type DeadSetLimits, sidekiqDeadSet } from '../dead-set.js';
import type { Dialect } from '../dialect.js';
import { scoreText } from '../job-encoding.js';
import { dueAtSeconds } from '../job-item.js';
import { clearSet } from './clear.js';
import { parseEntryId, scoreValue } from './entry-id.js';
import { EntryMoves } from './entry-moves.js';
import { type PageOptions, pageBounds } from './page.js';
import { SeenEntries } from './seen-entries.js';
import { type EntryOrder, type ScoredBytes, scoredBytes, setPage, setSlice } from './set-page.js';
import { SortedEntry } from './sorted-entry.js';
import { type SweepCounts, type SweepOptions, sweep } from './sweep.js';

const pageSize = 50;
/** Entries that one step of a scan looks at, as in Sidekiq. */
const scanCount = 100;

export interface JobSetOptions {
  /** How `enqueued_at` is written. Default `seconds`, which every Sidekiq reads. */
  readonly dialect?: Dialect;
  /** How much the dead set keeps of what is killed. Default Sidekiq's: 180 days, 10,000 entries. */
  readonly deadSet?: DeadSetLimits;
}

/** Some entries, and how many there are. */
export interface EntryPage {
  readonly size: number;
  readonly entries: readonly SortedEntry[];
}

export interface EntryPageOptions extends PageOptions {
  readonly order?: EntryOrder;
}

/** Not to be made by itself: see `ScheduledSet`, `RetrySet` and `DeadSet`. What the connection throws, each method throws. */
export class JobSet {
  private readonly moves: EntryMoves;

  constructor(
    private readonly redis: Redis,
    private readonly key: string,
    options: JobSetOptions,
  ) {
    const { dialect = 'seconds', deadSet = sidekiqDeadSet } = options;
    this.moves = new EntryMoves(redis, key, dialect, deadSet);
  }

  size(): Promise<number> {
    return this.redis.zcard(this.key);
  }

  /**
   * Every entry, in pages of 50. Entries may come and go meanwhile, by the reader's own hand too: one that is there all the
   * while is given, and once, though the reader reschedule it. What others reschedule may be given at both times, or at none.
   */
  async *each(order: EntryOrder = 'earliest-first'): AsyncGenerator<SortedEntry, void, undefined> {
    const moved = new SeenEntries();
    let page = await setPage(this.redis, this.key, order, pageSize);
    while (page.length > 0) {
      for (const { bytes, score } of page) {
        if (!moved.has(bytes)) yield new SortedEntry(this.moves, bytes, score, moved.add);
      }
      page = await setPage(this.redis, this.key, order, pageSize, page.at(-1));
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<SortedEntry, void, undefined> {
    return this.each();
  }

  /** Page `number`, from 1 on, and the size: one round trip, however large the set is. */
  async page(options: EntryPageOptions = {}): Promise<EntryPage> {
    const order = options.order ?? 'earliest-first';
    const { size, entries } = await setSlice(this.redis, this.key, order, pageBounds(options));
    return { size, entries: entries.map((entry) => this.entry(entry)) };
  }

  /**
   * Entries whose bytes match, in no order, by and by as Redis finds them: it looks through the whole set, some 100 entries at a
   * time. One that is there all the while is given; one may be given twice.
   * @param pattern Redis' glob; without a `*`, what must stand anywhere in the payload
   */
  async *scan(pattern: string): AsyncGenerator<SortedEntry, void, undefined> {
    const match = pattern.includes('*') ? pattern : `*${pattern}*`;
    let cursor = '0';
    do {
      const reply = await this.redis.zscanBuffer(this.key, cursor, 'MATCH', match, 'COUNT', scanCount);
      cursor = reply[0].toString();
      for (const entry of scoredBytes(reply[1])) yield this.entry(entry);
    } while (cursor !== '0');
  }

  /** Looks through the whole set: where the score is known, `fetch` is the quick way. The first that is met, of several. */
  async find(jid: string): Promise<SortedEntry | undefined> {
    for await (const entry of this.scan(`*${asGlob(JSON.stringify(jid).slice(1, -1))}*`)) {
      if (entry.jid === jid) return entry;
    }
    return undefined;
  }

  /**
   * The entry that `SCORE-JID` names, as in `entry.id` and in the addresses of Sidekiq's pages.
   * @throws TSQ_ENTRY_ID_INVALID
   */
  async fetch(id: string): Promise<SortedEntry | undefined> {
    const { score, jid } = parseEntryId(id);
    const before: ScoredBytes = { score, bytes: Buffer.alloc(0) };
    let page = await setPage(this.redis, this.key, 'earliest-first', pageSize, before);
    while (page.length > 0) {
      for (const found of page) {
        if (scoreValue(found.score) !== scoreValue(score)) return undefined;
        const entry = this.entry(found);
        if ((entry.jid ?? '') === jid) return entry;
      }
      page = await setPage(this.redis, this.key, 'earliest-first', pageSize, page.at(-1));
    }
    return undefined;
  }

  /** `SortedEntry#retry` of all, or of those of `where`. See `SweepOptions`: it can be ended, and run again. */
  retryAll(options: SweepOptions = {}): Promise<SweepCounts> {
    return sweep(this, this.moves.retry, options);
  }

  /** `SortedEntry#addToQueue` of all, or of those of `where`. */
  addAllToQueue(options: SweepOptions = {}): Promise<SweepCounts> {
    return sweep(this, this.moves.addToQueue, options);
  }

  /** `SortedEntry#delete` of those of `where`. All of them go quicker by `clear`. */
  deleteAll(options: SweepOptions = {}): Promise<SweepCounts> {
    return sweep(this, this.moves.delete, options);
  }

  /**
   * `SortedEntry#reschedule` of all, or of those of `where`.
   * @param at a Date, or seconds since the epoch
   * @throws TSQ_JOB_INVALID for what is no point in time
   */
  rescheduleAll(at: Date | number, options: SweepOptions = {}): Promise<SweepCounts> {
    const score = scoreText(dueAtSeconds(at));
    const isThere = (entry: SortedEntry) => scoreValue(entry.score) === scoreValue(score);
    return sweep(this, this.moves.reschedule(score), options, isThere);
  }

  /**
   * Takes all entries away, in one step.
   * @returns how many there were
   * @throws TSQ_REDIS_REFUSED when the key is no sorted set: nothing was written
   */
  clear(): Promise<number> {
    return clearSet(this.redis, this.key);
  }

  /** For a sweep: at most `limit` entries behind `after`. */
  async readPage(limit: number, after: SortedEntry | undefined): Promise<readonly SortedEntry[]> {
    const page = await setPage(this.redis, this.key, 'earliest-first', limit, after);
    return page.map((entry) => this.entry(entry));
  }

  /** For the sets that have it: the dead set does not. */
  protected sweepToDead(options: SweepOptions): Promise<SweepCounts> {
    return sweep(this, this.moves.kill, options);
  }

  private entry({ bytes, score }: ScoredBytes): SortedEntry {
    return new SortedEntry(this.moves, bytes, score);
  }
}

/** A text that a glob matches as it is. */
function asGlob(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&');
}
