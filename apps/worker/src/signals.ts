/**
 * Signals mean what they mean to Sidekiq: TERM and INT stop, TSTP quiets, TTIN writes to the log what runs. Those that
 * Sidekiq's pages send through Redis take the same road.
 */
import type { Logger } from '@tsq/core';

export interface SignalActions {
  /** Asked twice: stop at once. */
  stop(why: string): void;
  quiet(): void;
  dump(): void;
}

const effects: Readonly<Record<string, (actions: SignalActions) => void>> = {
  TERM: (actions) => actions.stop('TERM'),
  INT: (actions) => actions.stop('INT'),
  TSTP: (actions) => actions.quiet(),
  TTIN: (actions) => actions.dump(),
};

export class Signals {
  private readonly listeners = new Map<NodeJS.Signals, () => void>();

  constructor(
    private readonly actions: SignalActions,
    private readonly logger: Logger,
  ) {}

  /** From now on the process' signals come here. */
  listen(): void {
    for (const name of Object.keys(effects)) {
      const signal = `SIG${name}` as NodeJS.Signals; // the keys above are names of signals
      const listener = () => this.handle(name);
      this.listeners.set(signal, listener);
      process.on(signal, listener);
    }
  }

  /** @param name without SIG. Anybody who writes to Redis can send one, so only the four above do something. */
  handle(name: string): void {
    const effect = Object.hasOwn(effects, name) ? effects[name] : undefined;
    if (effect === undefined) {
      this.logger.warn({ signal: name }, 'a signal that tsq does not know; expected TERM, INT, TSTP or TTIN');
      return;
    }
    this.logger.info({ signal: name }, `got ${name}`);
    effect(this.actions);
  }

  close(): void {
    for (const [signal, listener] of this.listeners) process.off(signal, listener);
    this.listeners.clear();
  }
}
