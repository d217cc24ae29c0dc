/**
 * Whether the process is to stop, and by when. The first request gives running jobs the timeout; a second one, and a
 * crash, take it away: what runs then is put back on its queue at once. Nothing is lost either way.
 */
import type { Logger } from '@tsq/core';
import { type ExitCode, exitCodes } from './exit-codes.js';

export class StopRequest {
  private readonly request = new AbortController();
  private readonly end = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private code: ExitCode = exitCodes.stopped;

  constructor(
    private readonly timeoutSeconds: number,
    private readonly logger: Logger,
  ) {}

  /** Aborts with the first request. */
  get requested(): AbortSignal {
    return this.request.signal;
  }

  /** Aborts when running jobs may no longer be waited for. */
  get deadline(): AbortSignal {
    return this.end.signal;
  }

  get exitCode(): ExitCode {
    return this.code;
  }

  stop(why: string): void {
    if (this.requested.aborted) {
      this.logger.warn({ why }, 'asked again: stopping at once, running jobs go back to their queues');
      this.end.abort();
      return;
    }
    this.logger.info({ why, timeoutSeconds: this.timeoutSeconds }, 'stopping: waiting for running jobs');
    this.timer = setTimeout(() => this.end.abort(), this.timeoutSeconds * 1000);
    this.request.abort();
  }

  /** After an error that nothing caught the state of the program is unknown: it must not work on, nor lose its jobs. */
  crash(): void {
    this.code = exitCodes.unexpected;
    this.request.abort();
    this.end.abort();
  }

  close(): void {
    clearTimeout(this.timer);
  }
}
