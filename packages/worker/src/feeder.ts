/**
 * Asks the Fetcher for jobs, for as long as somebody wants any. One fetch is on its way at a time. A Redis that is away
 * and an instance that was declared dead are states to wait through, not ends: only the signal ends the loop.
 */
import { type Fetcher, type Logger, pause, Trouble, type UnitOfWork } from '@tsq/core';
import type { QueueOrder } from './queue-order.js';

export interface Consumer {
  /** How many a fetch should bring now; 0: none, until `Feeder.wake`. */
  wants(): number;
  /** Owns them from here on; also called, after the end was signalled, with what a last fetch brought. */
  accept(units: readonly UnitOfWork[]): void;
}

export interface FeederSettings {
  readonly shortestPauseMs: number;
  readonly longestPauseMs: number;
}

export class Feeder {
  private wakeUp: (() => void) | undefined;
  private readonly trouble: Trouble;
  private isAsking = false;

  constructor(
    private readonly fetcher: Fetcher,
    private readonly order: QueueOrder,
    private readonly consumer: Consumer,
    private readonly settings: FeederSettings,
    logger: Logger,
  ) {
    this.trouble = new Trouble(logger, "Can't fetch jobs");
  }

  /** A fetch is on its way. */
  get isFetching(): boolean {
    return this.isAsking;
  }

  /** What `wants` answers may have changed. */
  wake(): void {
    this.wakeUp?.();
  }

  /** Resolves once `signal` has aborted and the fetch on its way has come home. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.wake();
    signal.addEventListener('abort', wake);
    for (let pauseMs = 0; !signal.aborted; ) {
      const max = this.consumer.wants();
      if (max === 0) await this.sleep();
      else if (await this.feed(max, signal)) pauseMs = 0;
      else {
        pauseMs = Math.min(
          Math.max(pauseMs * 2, this.settings.shortestPauseMs),
          this.settings.longestPauseMs,
        );
        await pause(pauseMs, signal);
      }
    }
    signal.removeEventListener('abort', wake);
  }

  private sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.wakeUp = () => {
        this.wakeUp = undefined;
        resolve();
      };
    });
  }

  private async feed(max: number, signal: AbortSignal): Promise<boolean> {
    try {
      const units = await this.fetch(max);
      this.trouble.over();
      this.consumer.accept(units);
      // Fewer than asked: the queues are empty by now. `wait` returns at once should they not be, so a second fetch that
      // would most likely come back with nothing is spared.
      if (units.length < max && !signal.aborted) await this.fetcher.wait(this.order.names, signal);
      return true;
    } catch (error) {
      this.trouble.met(error);
      return false;
    }
  }

  private async fetch(max: number): Promise<readonly UnitOfWork[]> {
    this.isAsking = true;
    try {
      return await this.fetcher.fetch(this.order.next(), max);
    } finally {
      this.isAsking = false;
    }
  }
}
