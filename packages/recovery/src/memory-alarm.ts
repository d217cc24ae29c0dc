/**
 * Asks for a beat when the memory comes near to a limit: the note that goes with it must not be as old as an interval when the
 * process is killed for it.
 */
import type { FlightReader } from './flight-reader.js';
import { memoryLimit } from './memory-limit.js';

/** Above so much of a limit it is likely that the limit is met soon, or was. */
export const nearLimit = 0.9;

const lookEveryMs = 1_000;

export class MemoryAlarm {
  private readonly timer: NodeJS.Timeout;
  private wasNear = false;

  /** @param onNear called when it comes near, and again when it does so after it was far */
  constructor(
    private readonly flight: FlightReader,
    private readonly onNear: () => void,
    private readonly limit = memoryLimit,
  ) {
    this.timer = setInterval(() => this.look(), lookEveryMs);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const { used, limit } = this.flight.heap;
    const isNear =
      (limit > 0 && used >= nearLimit * limit) || process.memoryUsage.rss() >= nearLimit * this.limit();
    if (isNear && !this.wasNear) this.onNear();
    this.wasNear = isNear;
  }
}
