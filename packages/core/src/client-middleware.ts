/**
 * A job on its way to Redis, as client middleware sees it, and the contract of a client middleware.
 */
import type { JsonValue } from './json.js';
import type { LogLevel } from './logger.js';

/** Everything of it may be changed until `next` of the innermost middleware has run; it is checked and encoded after that. */
export interface ClientJob {
  /** 24 lower-case hex characters, or the caller's own. */
  jid: string;
  /** The name on the wire. */
  class: string;
  args: readonly JsonValue[];
  /** Without the `queue:` prefix. */
  queue: string;
  /** Seconds since the epoch when it is due; undefined: at once. */
  at: number | undefined;
  retry: boolean | number;
  /** Seconds. */
  retryFor: number | undefined;
  retryQueue: string | undefined;
  backtrace: boolean | number | undefined;
  dead: boolean | undefined;
  tags: readonly string[] | undefined;
  /** Seconds. */
  expiresIn: number | undefined;
  logLevel: LogLevel | undefined;
  tracked: boolean | undefined;
  /** Further keys of the payload, in the spelling of the wire. */
  custom: Record<string, JsonValue>;
}

/**
 * Runs for each job that a Client pushes, before it is encoded and sent; not calling `next` drops the job, and what it
 * throws rejects the call: nothing of that job is sent. The first added is the outermost.
 *
 * It runs on the first push only: retries and promotions move bytes. A Ruby process on the same Redis runs its own client
 * middleware at each promotion, so what both write should be written only when it is absent.
 */
export type ClientMiddleware = (job: ClientJob, next: () => Promise<void>) => Promise<void>;
