/**
 * The memory that the main thread and the heartbeat's thread share, and where what stands in it: how the event loop turns, and
 * a place for each job that runs. Nothing here waits or allocates: the main thread writes once at the start and once at the end
 * of each job, by plain stores, since an atomic one costs as much as all others together (`pnpm bench:recorder`).
 *
 * So who reads a place checks what he reads. It has a version, odd while it is being written, to be looked at before and after; and
 * its payload must be one. Of a job that blocks the loop all is there: the main thread writes nothing else meanwhile.
 */

/** Jobs that run at once beyond so many are not recorded. */
export const placeCount = 1_024;
/** A longer payload is not kept as it is. */
export const payloadLimit = 1_000;

const headBytes = 64;
/** Before the payload. */
const fieldBytes = 32;
/** A multiple of 8. */
const placeBytes = fieldBytes + payloadLimit;

/** Indices into `whole`. */
export const head = { turns: 0, lagMs: 1, overflow: 2 } as const;
/** Indices into `real`. */
export const realHead = { turnedAtMs: 2, heapUsed: 3, heapLimit: 4 } as const;
/** Offsets into `whole`, from where a place begins. `length` is that of the payload; 0: the place is free. */
export const at = { version: 0, length: 1, owner: 2, batch: 3, index: 4 } as const;

export class FlightMemory {
  readonly whole: Int32Array;
  readonly real: Float64Array;
  readonly bytes: Uint8Array;

  constructor(readonly shared = new SharedArrayBuffer(headBytes + placeCount * placeBytes)) {
    this.whole = new Int32Array(shared);
    this.real = new Float64Array(shared);
    this.bytes = new Uint8Array(shared);
  }
}

/** Into `whole`. */
export function placeStart(place: number): number {
  return (headBytes + place * placeBytes) >> 2;
}

/** Into `real`: when the job of a place began. */
export function beganIndex(place: number): number {
  return (headBytes + place * placeBytes + 24) >> 3;
}

/** Into `bytes`. */
export function payloadStart(place: number): number {
  return headBytes + place * placeBytes + fieldBytes;
}

/** Milliseconds of a clock that all threads share and nobody can set. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}
