/** The thread's side of the flight memory. It reads while the main thread writes, so what it reads is checked, and a hint. */
import { Payload } from '@tsq/core';
import {
  at,
  beganIndex,
  FlightMemory,
  head,
  monotonicMs,
  payloadStart,
  placeCount,
  placeStart,
  realHead,
} from './flight-memory.js';
import type { FlightSource } from './flight-recorder.js';

/** A job that runs. */
export interface JobInFlight {
  /** '' when it has none. */
  readonly jid: string;
  /** What people know it by: `display_class`, else `wrapped`, else `class`. */
  readonly class: string;
  readonly runningMs: number;
  /** `ID.batch.index` of its claim, the beginning of its member; undefined when its Fetcher numbers none. */
  readonly claim: string | undefined;
}

export class FlightReader {
  private readonly memory: FlightMemory;
  private readonly owners: string[];
  readonly tickMs: number;

  constructor(private readonly source: FlightSource) {
    this.memory = new FlightMemory(source.shared);
    this.owners = [...source.owners];
    this.tickMs = source.tickMs;
  }

  /** The main thread has given a number to one more id. */
  addOwner(id: string): void {
    this.owners.push(id);
  }

  /** Another one after each turn of the event loop. */
  get turns(): number {
    return Atomics.load(this.memory.whole, head.turns);
  }

  /** Since the event loop was seen to turn. */
  get sinceTurnMs(): number {
    return this.nowMs - (this.memory.real[realHead.turnedAtMs] ?? 0);
  }

  /** By how much the worst turn since the last call came late. */
  takeLagMs(): number {
    return Math.max(0, Atomics.exchange(this.memory.whole, head.lagMs, 0));
  }

  /** Bytes of the main thread's heap, as they were a moment ago. */
  get heap(): { readonly used: number; readonly limit: number } {
    const { real } = this.memory;
    return { used: real[realHead.heapUsed] ?? 0, limit: real[realHead.heapLimit] ?? 0 };
  }

  /** The longest-running first, and how many run beside these. */
  jobs(): { readonly listed: readonly JobInFlight[]; readonly unlisted: number } {
    const { nowMs } = this;
    const listed: JobInFlight[] = [];
    for (let place = 0; place < placeCount; place += 1) {
      const job = this.jobAt(place, nowMs);
      if (job !== undefined) listed.push(job);
    }
    listed.sort((one, other) => other.runningMs - one.runningMs);
    return { listed, unlisted: Math.max(0, Atomics.load(this.memory.whole, head.overflow)) };
  }

  /** Of the main thread, as its performance.now(). */
  private get nowMs(): number {
    return monotonicMs() - this.source.originMs;
  }

  private jobAt(place: number, nowMs: number): JobInFlight | undefined {
    const { whole, real, bytes } = this.memory;
    const start = placeStart(place);
    const version = Atomics.load(whole, start + at.version);
    const length = Atomics.load(whole, start + at.length);
    if (length === 0 || version % 2 === 1) return undefined;
    const [owner = 0, batch, index] = whole.slice(start + at.owner, start + at.index + 1);
    const beganAtMs = real[beganIndex(place)] ?? 0;
    const from = payloadStart(place);
    const payload = read(Buffer.from(bytes.slice(from, from + length)));
    if (payload === undefined || Atomics.load(whole, start + at.version) !== version) return undefined;
    const id = this.owners[owner] ?? '';
    const claim = id === '' ? undefined : `${id}.${batch}.${index}`;
    return { ...payload, runningMs: Math.max(0, Math.round(nowMs - beganAtMs)), claim };
  }
}

/** undefined: another job is being written here. */
function read(bytes: Buffer): Pick<JobInFlight, 'jid' | 'class'> | undefined {
  try {
    const payload = Payload.parse(bytes);
    const name = payload.string('display_class') ?? payload.string('wrapped') ?? payload.class;
    return { jid: payload.jid ?? '', class: name };
  } catch {
    return undefined; // the job that was here has ended, which is no trouble
  }
}
