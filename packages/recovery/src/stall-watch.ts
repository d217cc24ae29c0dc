/**
 * Notices in the heartbeat's thread that the main event loop does not turn, and says so at once, by a log that needs no main
 * thread: once when a stall begins, once when it ends. A stall costs no job; it is that no other job gets on, no outcome is
 * written and no signal heard, and whoever looks at the log must see which job it is.
 *
 * Only time in which this thread ran counts. A process that was frozen as a whole is not stalled when it wakes up.
 */
import type { FlightReader, JobInFlight } from './flight-reader.js';

/** A time in which the event loop did not turn. */
export interface Stall {
  readonly durationMs: number;
  /** As they ran when it began: the likely culprit first. At most ten. */
  readonly jobs: readonly JobInFlight[];
  /** How many ran. */
  readonly jobsInFlight: number;
  /** The beats ended during it: it was longer than `stallTimeoutMs`. */
  readonly gaveUp: boolean;
}

export interface StallWatchOptions {
  readonly flight: FlightReader;
  /** The event loop stands still for so long: a stall. */
  readonly stallMs: number;
  /** After so long nobody vouches for the process any more; 0: never. */
  readonly stallTimeoutMs: number;
  readonly onBegin: (stall: Stall) => void;
  readonly onGiveUp: (stall: Stall) => void;
  readonly onEnd: (stall: Stall) => void;
}

const mostNamed = 10;

export class StallWatch {
  private readonly timer: NodeJS.Timeout;
  private lookedAtMs = performance.now();
  private turns: number;
  /** Since the loop was last seen to turn, without the time in which this thread did not run. */
  private standingMs = 0;
  private stall: Stall | undefined;

  constructor(private readonly options: StallWatchOptions) {
    this.turns = options.flight.turns;
    this.timer = setInterval(() => this.look(), options.flight.tickMs);
  }

  /** For how long the loop has not turned; 0 while there is no stall. */
  get stalledMs(): number {
    return this.stall === undefined ? 0 : this.standingMs;
  }

  end(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const { flight, stallMs, stallTimeoutMs } = this.options;
    const nowMs = performance.now();
    const passedMs = nowMs - this.lookedAtMs;
    this.lookedAtMs = nowMs;
    const { turns } = flight;
    if (turns !== this.turns) {
      this.turns = turns;
      this.over();
      this.standingMs = 0;
      return;
    }
    // Who comes that late did not run meanwhile, and the main thread perhaps neither.
    this.standingMs += passedMs < stallMs / 2 ? passedMs : flight.tickMs;
    if (this.stall === undefined && this.standingMs >= stallMs) this.begin();
    if (this.stall?.gaveUp === false && stallTimeoutMs > 0 && this.standingMs >= stallTimeoutMs)
      this.giveUp(this.stall);
  }

  private begin(): void {
    this.stall = { durationMs: Math.round(this.standingMs), ...this.suspects(), gaveUp: false };
    this.options.onBegin(this.stall);
  }

  private giveUp(stall: Stall): void {
    this.stall = { ...stall, durationMs: Math.round(this.standingMs), gaveUp: true };
    this.options.onGiveUp(this.stall);
  }

  private over(): void {
    const { stall } = this;
    if (stall === undefined) return;
    this.stall = undefined;
    this.options.onEnd({ ...stall, durationMs: Math.round(this.standingMs) });
  }

  /**
   * A job that never lets go from its first statement on is the last that began: nothing can begin behind it. Those that began
   * before the loop's last turn may be it when they went on in a callback, the longest-running rather.
   */
  private suspects(): Pick<Stall, 'jobs' | 'jobsInFlight'> {
    const { flight } = this.options;
    const { sinceTurnMs } = flight;
    const { listed, unlisted } = flight.jobs();
    const isRecent = ({ runningMs }: JobInFlight) => runningMs <= sinceTurnMs;
    const recent = listed.filter(isRecent).reverse();
    const jobs = [...recent, ...listed.filter((job) => !isRecent(job))].slice(0, mostNamed);
    return { jobs, jobsInFlight: listed.length + unlisted };
  }
}
