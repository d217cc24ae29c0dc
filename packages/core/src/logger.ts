/**
 * What tsq asks of a logger: the part of pino's interface that it uses, so that a user may bring any pino, and a package
 * does not depend on one.
 */

/** From the most to the least talkative. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'fatal'] as const;

/** Lines below it are not written. The names are Sidekiq's and pino's. */
export type LogLevel = (typeof logLevels)[number];

export function isLogLevel(value: unknown): value is LogLevel {
  return logLevels.some((level) => level === value);
}

type LogMethod = (fields: object, message: string) => void;

export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** With a `level` of its own the child writes from there on, whatever its parent's is. */
  child(bindings: object, options?: { readonly level?: LogLevel }): Logger;
  /** false: a line of this level would be thrown away, so the caller need not even put it together. */
  isLevelEnabled?(level: 'debug' | 'info' | 'warn' | 'error'): boolean;
}

/** For a library that was given none: says nothing. */
export const silentLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLogger,
  isLevelEnabled: () => false,
};

function ignore(): void {
  // Chosen by the caller: a Client in a web server logs only when it is given a logger.
}
