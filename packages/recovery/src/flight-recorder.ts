/**
 * The main thread's side of the flight memory: it notes that the event loop turns, and which jobs run. The heartbeat's thread
 * reads it when the main thread can't speak: while a job blocks the loop, and, by way of Redis, after the process has died.
 */
import { getHeapStatistics } from 'node:v8';
import type { JobRecorder, RecordedJob } from '@tsq/core';
import {
  at,
  beganIndex,
  FlightMemory,
  head,
  monotonicMs,
  payloadLimit,
  payloadStart,
  placeCount,
  placeStart,
  realHead,
} from './flight-memory.js';

/** What a thread is given to read the memory. */
export interface FlightSource {
  readonly shared: SharedArrayBuffer;
  /** What monotonicMs() was when performance.now() of the main thread was 0. */
  readonly originMs: number;
  readonly tickMs: number;
  /** Under which ids jobs were claimed, by the number that stands for each. The first is that of no id. */
  readonly owners: readonly string[];
}

const heapEveryMs = 200;
/** V8's limit has room for the young generation in it, three semi-spaces of 16 MiB; what is kept fills the rest, and ends the process. */
const youngBytes = 3 * 16 * 2 ** 20;
/** Of a class or a jid, when the payload itself is too long to be kept. */
const longestText = 200;

export class FlightRecorder implements JobRecorder {
  private readonly memory = new FlightMemory();
  private readonly free = Uint16Array.from({ length: placeCount }, (_, index) => placeCount - 1 - index);
  private freeCount = placeCount;
  private readonly owners: string[] = [''];
  private lastOwner = '';
  private lastOwnerNumber = 0;
  private ticker: NodeJS.Timeout | undefined;
  private heapAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param tickMs between two notes that the event loop turns
   * @param onOwner called with each id that is new, before its number is used
   */
  constructor(
    private readonly tickMs: number,
    private readonly onOwner: (id: string) => void = () => undefined,
  ) {}

  get source(): FlightSource {
    const originMs = monotonicMs() - performance.now();
    return { shared: this.memory.shared, originMs, tickMs: this.tickMs, owners: [...this.owners] };
  }

  /** From now on it notes each turn. */
  start(): void {
    if (this.ticker !== undefined) return;
    this.turn();
    this.ticker = setInterval(() => this.turn(), this.tickMs).unref();
  }

  stop(): void {
    clearInterval(this.ticker);
    this.ticker = undefined;
  }

  began(job: RecordedJob): number {
    if (this.freeCount === 0) {
      Atomics.add(this.memory.whole, head.overflow, 1);
      return -1;
    }
    this.freeCount -= 1;
    const place = this.free[this.freeCount] ?? 0;
    const { unit } = job;
    const { whole, real, bytes } = this.memory;
    const payload = unit.bytes.length <= payloadLimit ? unit.bytes : shortened(job);
    const start = placeStart(place);
    const version = whole[start + at.version] ?? 0;
    whole[start + at.version] = version + 1;
    whole[start + at.owner] = this.numberOf(unit.owner);
    whole[start + at.batch] = unit.batch ?? 0;
    whole[start + at.index] = unit.index ?? 0;
    real[beganIndex(place)] = job.beganAtMs;
    bytes.set(payload, payloadStart(place));
    whole[start + at.length] = payload.length;
    whole[start + at.version] = version + 2;
    return place;
  }

  ended(place: number): void {
    if (place < 0) {
      Atomics.sub(this.memory.whole, head.overflow, 1);
      return;
    }
    this.memory.whole[placeStart(place) + at.length] = 0;
    this.free[this.freeCount] = place;
    this.freeCount += 1;
  }

  /** An id is that of all jobs, until the process has lapsed. */
  private numberOf(owner = ''): number {
    if (owner !== this.lastOwner) {
      const known = this.owners.indexOf(owner);
      this.lastOwnerNumber = known < 0 ? this.owners.push(owner) - 1 : known;
      this.lastOwner = owner;
      if (known < 0) this.onOwner(owner);
    }
    return this.lastOwnerNumber;
  }

  private turn(): void {
    const { whole, real } = this.memory;
    const nowMs = performance.now();
    const lagMs = Math.round(nowMs - (real[realHead.turnedAtMs] || nowMs) - this.tickMs);
    if (lagMs > Atomics.load(whole, head.lagMs)) Atomics.store(whole, head.lagMs, lagMs);
    real[realHead.turnedAtMs] = nowMs;
    if (nowMs - this.heapAtMs >= heapEveryMs) this.noteHeap(nowMs);
    Atomics.add(whole, head.turns, 1);
  }

  /** The thread has a heap of its own, and can't ask for this one. */
  private noteHeap(nowMs: number): void {
    this.heapAtMs = nowMs;
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    this.memory.real[realHead.heapUsed] = used;
    this.memory.real[realHead.heapLimit] = limit - youngBytes;
  }
}

/** Of a payload that has no room: what of it is asked for. At most two bytes for a character, so it has room. */
function shortened({ jid, displayClass }: RecordedJob): Buffer {
  const short = (text: string) => text.slice(0, longestText).replace(/[^ -~]/g, '?');
  return Buffer.from(JSON.stringify({ class: short(displayClass), jid: short(jid), args: [] }));
}
