/**
 * Ctrl-C, TERM and a closed terminal, for a command that has something to take away before it ends: the first one asks it to
 * end, the second one ends the process where it is.
 */
import { type ExitCode, exitCodes } from './exit-codes.js';

const codes = {
  SIGHUP: exitCodes.hangup,
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
} as const;

export class Interruption {
  private readonly controller = new AbortController();
  private readonly listeners = new Map<NodeJS.Signals, () => void>();
  private first: ExitCode | undefined;

  /** @param onSecond what is to be said, and killed, before the process ends at once */
  constructor(private readonly onSecond: () => void) {}

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Of the first signal, if one came. */
  get exitCode(): ExitCode | undefined {
    return this.first;
  }

  listen(): void {
    for (const [name, code] of Object.entries(codes)) {
      const signal = name as keyof typeof codes; // the keys above are names of signals
      const listener = () => this.heard(code);
      this.listeners.set(signal, listener);
      process.on(signal, listener);
    }
  }

  close(): void {
    for (const [signal, listener] of this.listeners) process.off(signal, listener);
    this.listeners.clear();
  }

  private heard(code: ExitCode): void {
    if (this.first === undefined) {
      this.first = code;
      this.controller.abort();
      return;
    }
    this.onSecond();
    process.exit(code);
  }
}
