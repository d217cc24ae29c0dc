/**
 * The bookkeeping of the `Component` contract, for the components of this package: each step runs once however often it
 * is called, a stop waits for a start that is under way, and nothing starts after a stop. The steps hold the work.
 */
import { type Logger, TsqError, untilSaid } from '@tsq/core';
import { EarliestDeadline } from './deadline.js';

export interface LifecycleSteps {
  start(): Promise<void>;
  /** May come before `start`. */
  quiet(): Promise<void>;
  /** Quiets too: `quiet` may never have been called. */
  stop(deadline: AbortSignal, end: AbortSignal): Promise<void>;
}

/** For last words after the deadline, where the caller sets no end. */
const lastWordsMs = 2_000;

export class Lifecycle {
  private starting: Promise<void> | undefined;
  private quieting: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  private readonly deadline = new EarliestDeadline();

  constructor(
    private readonly name: string,
    private readonly logger: Logger,
    private readonly steps: LifecycleSteps,
  ) {}

  start(): Promise<void> {
    if (this.stopping !== undefined) {
      const what = `${this.name} was stopped, and lives only once; make a new one to start again`;
      return Promise.reject(new TsqError('TSQ_COMPONENT_STOPPED', what));
    }
    this.starting ??= this.steps.start();
    return this.starting;
  }

  quiet(): Promise<void> {
    this.quieting ??= this.steps.quiet();
    return this.quieting;
  }

  stop(deadline: AbortSignal, end?: AbortSignal): Promise<void> {
    this.deadline.add(deadline);
    this.stopping ??= this.finish(end);
    return this.stopping;
  }

  private async finish(end: AbortSignal | undefined): Promise<void> {
    try {
      // A failed start was told to whoever called it; here it only must be over.
      await Promise.allSettled([this.starting]);
      const { signal } = this.deadline;
      await untilSaid(signal, end, lastWordsMs, (over) => this.steps.stop(signal, over));
    } catch (error) {
      this.logger.error({ component: this.name, err: error }, 'A component failed to stop cleanly');
    } finally {
      this.deadline.close();
    }
  }
}
