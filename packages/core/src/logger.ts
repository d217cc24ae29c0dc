/**
 * What tsq asks of a logger: the part of pino's interface that it uses, so that a user may bring any pino, and a package
 * does not depend on one.
 */

type LogMethod = (fields: object, message: string) => void;

export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  child(bindings: object): Logger;
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
