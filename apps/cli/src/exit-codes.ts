/**
 * What the exit code says to a shell or a pipeline, of every command of tsq. The README's table lists them. Where tsq-worker
 * has the same case, the number is the same.
 */
import { type ErrorCode, TsqError } from '@tsq/core';

export const exitCodes = {
  /** Done; and what was to be shown, holds. */
  done: 0,
  /** Something that should not happen. */
  unexpected: 1,
  /** An argument, variable or file is wrong: trying again will not help. */
  usage: 2,
  /** It was carried out, and what was to be shown does not hold: jobs were lost, or ended twice. */
  failed: 3,
  /** Redis is away, refuses, or is one that tsq can't run on. */
  redis: 4,
  /** It could not be carried to its end, so that it shows nothing. */
  inconclusive: 5,
  /** 128 and the signal's number, as shells have it. */
  hangup: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const byError: Partial<Record<ErrorCode, ExitCode>> = {
  TSQ_CONFIG_INVALID: exitCodes.usage,
  TSQ_CONFIG_UNKNOWN_KEY: exitCodes.usage,
  TSQ_CONFIG_UNREADABLE: exitCodes.usage,
  TSQ_DRILL_INCONCLUSIVE: exitCodes.inconclusive,
  TSQ_REDIS_REFUSED: exitCodes.redis,
  TSQ_REDIS_UNAVAILABLE: exitCodes.redis,
  TSQ_REDIS_UNSUITABLE: exitCodes.redis,
};

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof TsqError ? (byError[error.code] ?? exitCodes.unexpected) : exitCodes.unexpected;
}
