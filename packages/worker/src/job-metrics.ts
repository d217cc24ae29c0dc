/**
 * What each class did in each minute, since the last flush: executions, failures, the time of those that succeeded and how
 * it is spread. The process registry adds it to Redis with each beat (metrics-flush.ts), for the Metrics page.
 *
 * `count` is called for every job: one look into a Map and a few additions, no Date. The minute is Redis' own: its clock is
 * read at each flush, and in between this process' steady clock goes on from there. While Redis is away the counts
 * wait, up to a limit; what is beyond it is lost, and counted as such.
 */
import { histogramBucket, histogramBuckets, type Payload } from '@tsq/core';

/** Of one class in one minute. */
export interface ClassMetrics {
  /** Executions that ended, failures included. */
  processed: number;
  failed: number;
  /** Of those that did not fail, together. */
  milliseconds: number;
  /** Of those that did not fail, by bucket. */
  readonly histogram: number[];
}

export interface MinuteMetrics {
  /** Minutes since the epoch. */
  readonly minute: number;
  readonly classes: ReadonlyMap<string, ClassMetrics>;
}

/** The part of a running job that is needed here. */
interface EndedJob {
  readonly class: string;
  readonly payload: Payload;
  readonly durationMs: number;
}

const minuteMs = 60_000;
/** Older minutes are in no reader's window. */
const keptMinutes = 480;
/** Classes by minutes: some three megabytes. */
const defaultLimit = 10_000;

export class JobMetrics {
  private readonly minutes = new Map<number, Map<string, ClassMetrics>>();
  /** Of the minute that runs. */
  private current = new Map<string, ClassMetrics>();
  private currentMinute = 0;
  /** By the steady clock; in the past: whoever counts next finds out what minute it is. */
  private minuteEndsAtMs = Number.NEGATIVE_INFINITY;
  /** What the clock said when the steady one stood at 0. The host's own until Redis' was read. */
  private epochAtZeroMs = performance.timeOrigin;
  private size = 0;
  private lost = 0;

  /** @param limit the most that is kept: classes, counted anew in each minute */
  constructor(private readonly limit: number = defaultLimit) {}

  /** What ended under a name: that of the class, or of the ActiveJob that it wraps. */
  count(job: EndedJob, result: 'passed' | 'failed'): void {
    if (performance.now() >= this.minuteEndsAtMs) this.turnMinute();
    const name = job.payload.string('wrapped') ?? job.class;
    const metrics = this.current.get(name) ?? this.open(this.currentMinute, name);
    if (metrics === undefined) {
      this.lost += 1;
      return;
    }
    metrics.processed += 1;
    if (result === 'failed') metrics.failed += 1;
    else addTime(metrics, job.durationMs);
  }

  /** Sets the clock by which minutes are told. @param epochMs Redis' time, now */
  setTime(epochMs: number): void {
    this.epochAtZeroMs = epochMs - performance.now();
    this.minuteEndsAtMs = Number.NEGATIVE_INFINITY;
  }

  /** What was counted since the last call, the oldest minute first. */
  take(): readonly MinuteMetrics[] {
    const taken = [...this.minutes].map(([minute, classes]) => ({ minute, classes }));
    this.minutes.clear();
    this.current = new Map();
    this.size = 0;
    this.minuteEndsAtMs = Number.NEGATIVE_INFINITY;
    return taken.sort((one, other) => one.minute - other.minute);
  }

  /** Puts back what was not written, but for what is too old to be read. */
  restore(taken: readonly MinuteMetrics[]): void {
    for (const { minute, classes } of taken) {
      for (const [name, metrics] of classes) this.addBack(minute, name, metrics);
    }
  }

  /** Notes what was taken and will not be written. */
  lose(taken: MinuteMetrics): void {
    this.lost += executions(taken.classes);
  }

  /** Executions that no page will show, since the last call. */
  takeLost(): number {
    const { lost } = this;
    this.lost = 0;
    return lost;
  }

  private turnMinute(): void {
    const nowMs = performance.now();
    const epochMs = this.epochAtZeroMs + nowMs;
    this.currentMinute = Math.floor(epochMs / minuteMs);
    this.minuteEndsAtMs = nowMs + minuteMs - (epochMs % minuteMs);
    this.current = this.minutes.get(this.currentMinute) ?? new Map();
  }

  private addBack(minute: number, name: string, metrics: ClassMetrics): void {
    const nowMinute = Math.floor((this.epochAtZeroMs + performance.now()) / minuteMs);
    const there =
      minute <= nowMinute - keptMinutes
        ? undefined
        : (this.minutes.get(minute)?.get(name) ?? this.open(minute, name));
    if (there === undefined) {
      this.lost += metrics.processed;
      return;
    }
    there.processed += metrics.processed;
    there.failed += metrics.failed;
    there.milliseconds += metrics.milliseconds;
    metrics.histogram.forEach((count, at) => {
      there.histogram[at] = (there.histogram[at] ?? 0) + count;
    });
  }

  /** undefined: there is no room, and nothing older to give up for it. */
  private open(minute: number, name: string): ClassMetrics | undefined {
    if (this.size >= this.limit && !this.dropBefore(minute)) return undefined;
    const metrics = { processed: 0, failed: 0, milliseconds: 0, histogram: emptyHistogram() };
    let classes = this.minutes.get(minute);
    if (classes === undefined) {
      classes = minute === this.currentMinute ? this.current : new Map();
      this.minutes.set(minute, classes);
    }
    classes.set(name, metrics);
    this.size += 1;
    return metrics;
  }

  /** Gives up the oldest minute, if it is older than this one. */
  private dropBefore(minute: number): boolean {
    const oldest = Math.min(...this.minutes.keys());
    const classes = this.minutes.get(oldest);
    if (oldest >= minute || classes === undefined) return false;
    this.minutes.delete(oldest);
    this.minuteEndsAtMs = Number.NEGATIVE_INFINITY; // it may have been the current one, after a clock was set
    this.size -= classes.size;
    this.lost += executions(classes);
    return true;
  }
}

function addTime(metrics: ClassMetrics, durationMs: number): void {
  metrics.milliseconds += durationMs;
  const bucket = histogramBucket(durationMs);
  metrics.histogram[bucket] = (metrics.histogram[bucket] ?? 0) + 1;
}

function emptyHistogram(): number[] {
  return new Array<number>(histogramBuckets).fill(0);
}

function executions(classes: ReadonlyMap<string, ClassMetrics>): number {
  let sum = 0;
  for (const { processed } of classes.values()) sum += processed;
  return sum;
}
