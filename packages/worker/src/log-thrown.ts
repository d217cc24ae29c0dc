/**
 * Logs what somebody else's code threw. To write an error down a logger runs that code's getters and may mark the object
 * (pino does, and throws on a frozen one); whatever comes of it, a line in the log must not cost a job its outcome.
 */
import type { Logger } from '@tsq/core';
import { errorClass, errorMessage } from './thrown.js';

/** Never throws. An error that the logger can't take is logged as the text `Class: message`. */
export function logThrown(
  logger: Logger,
  level: 'warn' | 'error',
  fields: object,
  thrown: unknown,
  message: string,
): void {
  try {
    logger[level]({ ...fields, err: thrown }, message);
  } catch {
    logSafely(() =>
      logger[level]({ ...fields, err: `${errorClass(thrown)}: ${errorMessage(thrown)}` }, message),
    );
  }
}

/** Never throws. */
export function logSafely(log: () => void): void {
  try {
    log();
  } catch {
    // The logger itself is broken, so nobody can be told; the job goes on.
  }
}
