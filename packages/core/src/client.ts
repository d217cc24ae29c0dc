/**
 * What an application pushes jobs with. Made once, used from everywhere: it connects at the first use, shares one
 * connection, never waits longer than its deadline and never sends a job twice.
 */
import { ClientConnection } from './client-connection.js';
import type { ClientJob } from './client-middleware.js';
import type { Dialect } from './dialect.js';
import { Enqueuer } from './enqueuer.js';
import { didYouMean, TsqError } from './errors.js';
import { JobSender } from './job-sender.js';
import { type Logger, silentLogger } from './logger.js';
import type { MiddlewareChain } from './middleware-chain.js';
import { Pusher } from './push.js';
import { checkLocation, type RedisLocation } from './redis-location.js';

interface CommonOptions {
  /** How timestamps are written: `milliseconds` only when no Sidekiq before 8 reads this Redis. Default `seconds`. */
  readonly dialect?: Dialect;
  /** An operation that Redis has not confirmed by then rejects: connecting, sending and waiting together. Default 5000. */
  readonly deadlineMs?: number;
  /** Hears when Redis goes away and comes back. Default: silent. */
  readonly logger?: Logger;
}

/** `url` (`redis://…`, `rediss://…`, `unix://…`), or `redis` with more of the connection's options. */
export type ClientOptions = CommonOptions &
  (
    | { readonly url: string; readonly redis?: undefined }
    | { readonly redis: RedisLocation; readonly url?: undefined }
  );

/**
 * ```ts
 * const client = new Client({ url: 'redis://localhost:6379/0' });
 * await client.enqueue(ResizeImage, 'https://…', 640);
 * ```
 * An idle client does not keep the process alive; a call that waits for its reply does. `close()` (or `await using`) lets
 * what is under way end and gives the connection back.
 */
export class Client extends Enqueuer {
  private readonly pusher: Pusher;
  /** Around each job of this client and of all that `with` makes, before it is encoded. */
  readonly middleware: MiddlewareChain<ClientJob, void>;

  /** @throws TSQ_CONFIG_INVALID, TSQ_CONFIG_UNKNOWN_KEY */
  constructor(options: ClientOptions) {
    const { location, dialect, deadlineMs, logger } = checkClientOptions(options);
    const pusher = new Pusher(new ClientConnection(location, deadlineMs, logger), deadlineMs, logger);
    const sender = new JobSender(pusher, dialect);
    super(sender, {});
    this.pusher = pusher;
    this.middleware = sender.middleware;
  }

  /**
   * Resolves when what was pushed before is confirmed or has failed, at most `deadlineMs` later, and the connection is
   * closed. May be called again. Any later use rejects with TSQ_CLIENT_CLOSED; so does what has not been pushed yet: a call
   * whose middleware still runs, and the batches of a bulk that are still to come.
   */
  async close(): Promise<void> {
    await this.pusher.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const known = ['url', 'redis', 'dialect', 'deadlineMs', 'logger'];
const defaultDeadlineMs = 5_000;
/** The longest that a timer of Node takes. */
const longestDeadlineMs = 2 ** 31 - 1;

function checkClientOptions(options: ClientOptions) {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const hint = didYouMean(unknown, known);
    throw new TsqError('TSQ_CONFIG_UNKNOWN_KEY', `Client: no option is called "${unknown}"${hint}`);
  }
  const { dialect = 'seconds', deadlineMs = defaultDeadlineMs, logger = silentLogger } = options;
  const location = options.redis ?? { url: options.url };
  checkLocation(location);
  if (dialect !== 'seconds' && dialect !== 'milliseconds') {
    throw misconfigured('dialect', "'seconds' or 'milliseconds'", dialect);
  }
  if (!(deadlineMs > 0 && deadlineMs <= longestDeadlineMs)) {
    throw misconfigured(
      'deadlineMs',
      `milliseconds, more than 0 and at most ${longestDeadlineMs}`,
      deadlineMs,
    );
  }
  return { location, dialect, deadlineMs, logger };
}

function misconfigured(name: string, expected: string, got: unknown): TsqError {
  return new TsqError('TSQ_CONFIG_INVALID', `Client: ${name}: expected ${expected}, got ${String(got)}`);
}
