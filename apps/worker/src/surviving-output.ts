/**
 * A file descriptor that may be written to whatever becomes of its reader. A log collector that went away must not turn all
 * running jobs into orphans, nor one that stalls hold them up; so writes happen off the main thread, the backlog is
 * bounded, and what can't be written is dropped and counted.
 *
 * Not pino's own destination: on a closed pipe its synchronous flush, which it runs at exit, tries again without end.
 */
import { write, writeSync } from 'node:fs';
import { errorCodeOf } from './error-code.js';

export interface OutputOptions {
  readonly fd: number;
  /** Beyond so many characters of backlog, lines are dropped. Default 16 Mi. */
  readonly longestBacklog?: number;
  /** Called once, when nobody reads any more. */
  readonly onGone?: () => void;
  /** Called when writes begin to fail for another reason (a full disk), which may pass. */
  readonly onTrouble?: (message: string) => void;
  /** Called when one goes through again. */
  readonly onTroubleOver?: () => void;
}

/** For a non-blocking pipe that is full. */
const retryAfterMs = 20;

export class SurvivingOutput {
  private readonly longestBacklog: number;
  private backlog: string[] = [];
  private backlogLength = 0;
  private inFlight: Buffer | undefined;
  private isGone = false;
  private isInTrouble = false;
  private droppedLines = 0;
  private idleWaiters: (() => void)[] = [];

  constructor(private readonly options: OutputOptions) {
    this.longestBacklog = options.longestBacklog ?? 16 * 1024 * 1024;
  }

  /** Lines, or texts, that could not be written so far. */
  get dropped(): number {
    return this.droppedLines;
  }

  write(text: string): void {
    if (this.isGone || this.backlogLength + text.length > this.longestBacklog) {
      this.droppedLines += 1;
      return;
    }
    this.backlog.push(text);
    this.backlogLength += text.length;
    if (this.inFlight === undefined) this.next();
  }

  /** Resolves when all is written, or nobody reads, or `withinMs` is over. */
  async drained(withinMs: number): Promise<void> {
    if (this.inFlight === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.idleWaiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** For the moment of exit, when nothing asynchronous runs any more: one try for what has not been begun. */
  writeRest(): void {
    const rest = this.backlog.splice(0).join('');
    if (this.isGone || rest === '') return;
    try {
      writeSync(this.options.fd, rest);
    } catch (error) {
      this.fail(error, 1);
    }
  }

  private next(): void {
    const lines = this.backlog;
    if (lines.length === 0) {
      this.inFlight = undefined;
      for (const tell of this.idleWaiters.splice(0)) tell();
      return;
    }
    this.backlog = [];
    this.backlogLength = 0;
    this.send(Buffer.from(lines.join('')), lines.length);
  }

  private send(bytes: Buffer, lines: number): void {
    this.inFlight = bytes;
    write(this.options.fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') setTimeout(() => this.send(bytes, lines), retryAfterMs);
      else if (error !== null) this.skip(error, lines);
      else if (written < bytes.length) this.send(bytes.subarray(written), lines);
      else this.sent();
    });
  }

  private sent(): void {
    if (this.isInTrouble) this.options.onTroubleOver?.();
    this.isInTrouble = false;
    this.next();
  }

  private skip(error: Error, lines: number): void {
    this.fail(error, lines);
    this.next();
  }

  private fail(error: unknown, lines: number): void {
    this.droppedLines += lines;
    if (this.isGone) return;
    const isGone = ['EPIPE', 'EBADF'].includes(errorCodeOf(error) ?? '');
    if (!isGone) {
      if (!this.isInTrouble) this.options.onTrouble?.(messageOf(error));
      this.isInTrouble = true;
      return;
    }
    this.isGone = true;
    this.droppedLines += this.backlog.length;
    this.backlog = [];
    this.backlogLength = 0;
    this.options.onGone?.();
  }
}

/** By the error's form, as its code: it may come from another realm. */
function messageOf(error: unknown): string {
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
  return hasMessage ? String(error.message) : String(error);
}
