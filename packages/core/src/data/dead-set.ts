/** Jobs that nothing retries any more: the sorted set `dead`, by the second each died. They leave it by age and by number. */
import type { Redis } from 'ioredis';
import { keys } from '../keys.js';
import { JobSet, type JobSetOptions } from './job-set.js';

export class DeadSet extends JobSet {
  constructor(redis: Redis, options: JobSetOptions = {}) {
    super(redis, keys.dead, options);
  }
}
