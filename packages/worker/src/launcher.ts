/**
 * Starts the components of a process in the order given, and stops them in reverse, within one deadline and one time for
 * last words after it. The order is the caller's knowledge: what others need comes first and goes last.
 */
import { type Component, LastWords, type Logger, silentLogger, TsqError } from '@tsq/core';
import { EarliestDeadline } from './deadline.js';

/** After the deadline: for all components together, and for each when the others have used that up. */
const lastWordsMs = 3_000;
const leastWordsMs = 250;

export class Launcher implements Component {
  readonly name = 'launcher';
  private starting: Promise<void> | undefined;
  private quieting: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  private readonly deadline = new EarliestDeadline();

  constructor(
    private readonly components: readonly Component[],
    private readonly logger: Logger = silentLogger,
  ) {}

  /** Rejects with what the first component that fails throws, after those before it were stopped. */
  start(): Promise<void> {
    if (this.stopping !== undefined) return Promise.reject(stopped());
    this.starting ??= this.startAll();
    return this.starting;
  }

  quiet(): Promise<void> {
    // At once, not in turn: none should take new work while another is still being told.
    this.quieting ??= this.settleAll('quiet', (component) => component.quiet());
    return this.quieting;
  }

  stop(deadline: AbortSignal): Promise<void> {
    this.deadline.add(deadline);
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  private async startAll(): Promise<void> {
    try {
      for (const component of this.components) {
        if (this.stopping !== undefined) throw stopped();
        await component.start();
      }
    } catch (error) {
      // Nothing has run for long, so nothing is waited for; but a stop that is under way keeps its own deadline.
      await (this.stopping ?? this.stop(AbortSignal.abort()));
      throw error;
    }
  }

  /** Also those not yet started, and one whose start is under way: it must not be waited for, it may wait for Redis. */
  private async stopAll(): Promise<void> {
    // Told, not waited for: with a Redis that does not answer, the deadline for running jobs would pass meanwhile.
    const quiet = this.quiet();
    const { signal } = this.deadline;
    const words = new LastWords(signal, lastWordsMs, leastWordsMs);
    for (const component of this.components.toReversed()) {
      await this.settle('stop', component, () => words.during((end) => component.stop(signal, end)));
    }
    await quiet;
    this.deadline.close();
  }

  private async settleAll(step: string, call: (component: Component) => Promise<void>): Promise<void> {
    await Promise.all(
      this.components.map((component) => this.settle(step, component, () => call(component))),
    );
  }

  private async settle(step: string, component: Component, call: () => Promise<void>): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.logger.error(
        { component: component.name, step, err: error },
        'A component failed; the others go on',
      );
    }
  }
}

function stopped(): TsqError {
  return new TsqError(
    'TSQ_COMPONENT_STOPPED',
    'the launcher was stopped, and lives only once; make a new one',
  );
}
