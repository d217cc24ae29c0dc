/**
 * A log that the heartbeat's thread writes itself. What it hands to the main thread's logger appears only when that is free
 * again, which is too late for the news that it is not. So the program names a module, and the thread loads it.
 */
import type { Logger } from '@tsq/core';
import type { LogLevel } from './heartbeat-messages.js';

export interface ThreadLog {
  /** Says whether the line was written; one that was not goes to the main thread's logger. Never throws. */
  write(level: LogLevel, fields: object, message: string): boolean;
}

/** Where a thread finds its log. */
export interface ThreadLogSource {
  /** URL of a module that exports `openThreadLog(options): ThreadLog`. */
  readonly module: string;
  /** Handed to it; plain data, which a thread can be given. */
  readonly options: unknown;
}

/** Lines go to `fallback` until the module is there, and whenever it can't write. */
export function openLog(source: ThreadLogSource | undefined, fallback: Logger): ThreadLog {
  let own: ThreadLog | undefined;
  if (source !== undefined) {
    load(source).then(
      (log) => {
        own = log;
      },
      (error) =>
        fallback.error({ module: source.module, err: error }, "the thread's log could not be opened"),
    );
  }
  return {
    write(level, fields, message) {
      if (own?.write(level, fields, message) === true) return true;
      fallback[level](fields, message);
      return true;
    },
  };
}

async function load({ module, options }: ThreadLogSource): Promise<ThreadLog> {
  const { openThreadLog } = await import(module);
  return openThreadLog(options);
}
