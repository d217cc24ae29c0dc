/** What a script found when it looked at its keys before its first write. */
import { TsqError } from '../errors.js';

export function wrongType(keys: readonly string[]): TsqError {
  return new TsqError(
    'TSQ_REDIS_REFUSED',
    `${keys.join(', ')}: of another type than Sidekiq gives it, so nothing was written there. ` +
      'Another program writes to this database: move its key away',
  );
}
