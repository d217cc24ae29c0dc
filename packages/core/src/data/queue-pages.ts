/**
 * Pages of a queue from its tail, the oldest job first, while workers take jobs at that end, clients push at the other, and
 * the reader itself deletes. Positions are counted from the tail, so a push moves nothing; what leaves behind the reader does.
 * Therefore each page is read together with the jobs before it: where they stand now is where to go on.
 *
 * What must stay true: a job that waits all the while is met. One that was met may be met again when all of the last fifty
 * left in one go, by other hands than the reader's.
 */
import type { Redis } from 'ioredis';
import { repliesOf } from './replies.js';

const pageSize = 50;

export class QueuePages {
  /** Jobs between the tail and where to go on. */
  private passed = 0;
  /** The last of them, oldest first. */
  private marks: readonly Buffer[] = [];

  constructor(
    private readonly redis: Redis,
    private readonly key: string,
  ) {}

  /** Oldest first; empty at the end. */
  async next(): Promise<readonly Buffer[]> {
    const overlap = Math.min(this.passed, this.marks.length);
    const window = await this.read(this.passed - overlap, overlap + pageSize);
    const start = this.behindMarks(window, overlap);
    if (start === undefined) {
      await this.find();
      return await this.next();
    }
    const page = window.slice(start, start + pageSize);
    this.passed += start - overlap + page.length;
    this.marks = [...this.marks, ...page].slice(-pageSize);
    // What came back at the tail filled the window: the next one begins further on.
    return page.length === 0 && window.length === overlap + pageSize ? await this.next() : page;
  }

  /** The reader took this one out. */
  deleted(bytes: Buffer): void {
    this.passed = Math.max(0, this.passed - 1);
    const at = this.marks.findIndex((mark) => mark.equals(bytes));
    if (at >= 0) this.marks = this.marks.toSpliced(at, 1);
  }

  /** @param skip so many from the tail on */
  private async read(skip: number, count: number): Promise<readonly Buffer[]> {
    const jobs = await this.redis.lrangeBuffer(this.key, -skip - count, -skip - 1);
    return jobs.toReversed();
  }

  /** Where, in the window, the first job stands that was not met; undefined when no mark is there. */
  private behindMarks(window: readonly Buffer[], overlap: number): number | undefined {
    if (overlap === 0) return 0;
    for (const mark of this.marks.toReversed()) {
      // Of two with the same bytes the one in its old place, if it still stands there.
      if (window[overlap - 1]?.equals(mark)) return overlap;
      const at = window.findIndex((job) => job.equals(mark));
      if (at >= 0) return at + 1;
    }
    return undefined;
  }

  /** More than a page left, or came back at the tail. Workers take from there, so when the marks are gone, all behind is. */
  private async find(): Promise<void> {
    const mark = this.marks.at(-1) ?? '';
    const [size, at] = await repliesOf(this.redis.multi().llen(this.key).lpos(this.key, mark, 'RANK', -1));
    this.passed = typeof at === 'number' ? Number(size) - at : 0;
    if (typeof at !== 'number') this.marks = [];
  }
}
