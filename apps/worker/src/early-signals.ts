/**
 * Signals that come while the program is loaded. Nothing is held yet: TERM and INT end the process at once, as asked. TSTP and
 * TTIN are kept, and sent again when somebody listens.
 */
import { exitCodes } from './exit-codes.js';

const ending: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
const kept: readonly NodeJS.Signals[] = ['SIGTSTP', 'SIGTTIN'];

export class EarlySignals {
  private readonly came = new Set<NodeJS.Signals>();

  constructor() {
    for (const signal of ending) process.on(signal, this.end);
    for (const signal of kept) process.on(signal, this.keep);
  }

  /** Others listen by now: no signal falls between the two. */
  handOver(): void {
    for (const signal of ending) process.off(signal, this.end);
    for (const signal of kept) process.off(signal, this.keep);
    for (const signal of this.came) if (process.listenerCount(signal) > 0) process.kill(process.pid, signal);
  }

  private readonly end = () => process.exit(exitCodes.stopped);

  private readonly keep = (signal: NodeJS.Signals) => {
    this.came.add(signal);
  };
}
