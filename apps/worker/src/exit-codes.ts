/** What the exit code says to a shell, a service manager or a pod's restart policy. The README's table lists them. */
import { type ErrorCode, TsqError } from '@tsq/core';

export const exitCodes = {
  /** Stopped as asked: what ran is done, or back on its queue. Also -h and -V. */
  stopped: 0,
  /** Something that should not happen; the log's last line says what. */
  unexpected: 1,
  /** A flag, variable or file is wrong: starting again will not help. */
  usage: 2,
  /** The workers can't be loaded: starting again will not help. */
  workers: 3,
  /** Redis is away (only with --fail-fast), or tsq can't run on it. */
  redis: 4,
  /** Stopped as asked, but Redis was away and did not confirm how all jobs ended: what is still claimed is recovered. */
  unconfirmed: 5,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byError: Partial<Record<ErrorCode, ExitCode>> = {
  TSQ_CONFIG_INVALID: exitCodes.usage,
  TSQ_CONFIG_UNKNOWN_KEY: exitCodes.usage,
  TSQ_CONFIG_UNREADABLE: exitCodes.usage,
  TSQ_MIDDLEWARE_UNKNOWN: exitCodes.workers, // from a worker file's configureServer
  TSQ_REDIS_UNAVAILABLE: exitCodes.redis,
  TSQ_REDIS_UNSUITABLE: exitCodes.redis,
  TSQ_WORKER_DUPLICATE: exitCodes.workers,
  TSQ_WORKER_INVALID: exitCodes.workers,
  TSQ_WORKERS_UNLOADABLE: exitCodes.workers,
};

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof TsqError ? (byError[error.code] ?? exitCodes.unexpected) : exitCodes.unexpected;
}
