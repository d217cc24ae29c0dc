/**
 * Asks for a beat when the memory comes near to a limit: the note that goes with it must not be as old as an interval when the
 * process is killed for it.
 */
import type { FlightReader } from './flight-reader.js';
import { memoryLimit } from './memory-limit.js';

/** Above so much of a limit it is likely that the limit is met soon, or was. */
const nearLimit = 0.9;
/** V8 gives up long before its heap is full to the last byte: at 84 %, seen where the old generation was to have 120 MiB. */
const nearHeapLimit = 0.8;

export function isNearLimit(rssBytes: number, limitBytes: number): boolean {
  return limitBytes > 0 && rssBytes >= nearLimit * limitBytes;
}

export function isNearHeapLimit(heapBytes: number, limitBytes: number): boolean {
  return limitBytes > 0 && heapBytes >= nearHeapLimit * limitBytes;
}

const lookEveryMs = 250;

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
    const isNear = isNearHeapLimit(used, limit) || isNearLimit(process.memoryUsage.rss(), this.limit());
    if (isNear && !this.wasNear) this.onNear();
    this.wasNear = isNear;
  }
}
