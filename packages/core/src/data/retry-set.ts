/** Jobs that failed and wait for their retry: the sorted set `retry`, by the second each is due. */
import type { Redis } from 'ioredis';
import { keys } from '../keys.js';
import { JobSet, type JobSetOptions } from './job-set.js';
import type { SweepCounts, SweepOptions } from './sweep.js';

export class RetrySet extends JobSet {
  constructor(redis: Redis, options: JobSetOptions = {}) {
    super(redis, keys.retry, options);
  }

  /** `SortedEntry#kill` of all, or of those of `where`. No death handler is run. */
  killAll(options: SweepOptions = {}): Promise<SweepCounts> {
    return this.sweepToDead(options);
  }
}
