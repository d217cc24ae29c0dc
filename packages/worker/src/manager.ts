/**
 * Keeps `concurrency` jobs running, and nothing more than the next few milliseconds' work in hand.
 *
 * What must stay true: a unit that the Fetcher gave is at every moment in the ready line, in a slot, or settled; so a
 * quiet gives the line back, and a stop the slots. A slot is free when its job's outcome is known, not when Redis has
 * heard of it: the end of a claim rides on the next claim.
 *
 * Jobs start in turns of the event loop. Within one, a freed slot takes the next ready job at once, without a timer or an
 * immediate per job; after `turnMs` no further job starts before the loop has been round, so replies, timers and signals
 * are served even while every job is synchronous.
 */
import { EventEmitter } from 'node:events';
import {
  type Component,
  type Fetcher,
  faultPoint,
  type Logger,
  silentLogger,
  TsqError,
  type UnitOfWork,
} from '@tsq/core';
import { ClaimAhead } from './claim-ahead.js';
import { Feeder } from './feeder.js';
import type { JobProcessor, ProcessedJob } from './job-processor.js';
import { Lifecycle } from './lifecycle.js';
import { logThrown } from './log-thrown.js';
import type { QueueOrder } from './queue-order.js';
import { ReadyLine } from './ready-line.js';
import type { RunningJob, RunningJobs } from './running-jobs.js';
import { Slot } from './slot.js';
import { within } from './within.js';

export interface ManagerParts {
  readonly fetcher: Fetcher;
  readonly processor: JobProcessor;
  readonly order: QueueOrder;
  readonly running: RunningJobs;
  readonly logger?: Logger;
}

export interface ManagerSettings {
  /** Jobs at once. Default 10. */
  readonly concurrency: number;
  /** Claims beyond the free slots: what is finished within so many milliseconds. Default 2; 0: none. */
  readonly claimAheadMs: number;
  /** The most that one fetch asks for: above it only Redis' pauses grow. Default 150. */
  readonly maxBatch: number;
  /** For jobs that heed their AbortSignal, after the deadline of a stop. Default 500. */
  readonly stopGraceMs: number;
  /** For Redis' word that the last outcomes are written, at a stop; the Fetcher's own stop waits on. Default 2000. */
  readonly settleWaitMs: number;
  /** Between fetches that fail: begins with the one and doubles up to the other. Defaults 50 and 1000. */
  readonly shortestPauseMs: number;
  readonly longestPauseMs: number;
}

const defaults: ManagerSettings = {
  concurrency: 10,
  claimAheadMs: 2,
  maxBatch: 150,
  stopGraceMs: 500,
  settleWaitMs: 2_000,
  shortestPauseMs: 50,
  longestPauseMs: 1_000,
};

/** In one turn of the event loop jobs start for so long. */
const turnMs = 4;

/** Why jobs went back to their queues: they waited too long for a slot, or no more are to start, or the deadline passed. */
export type GiveBackReason = 'late' | 'quiet' | 'deadline';

export type ManagerEvents = {
  /** A fetch brought so many jobs. */
  fetched: [count: number];
  givenBack: [count: number, reason: GiveBackReason];
};

export class Manager implements Component {
  readonly name = 'manager';
  readonly events = new EventEmitter<ManagerEvents>();
  private readonly settings: ManagerSettings;
  private readonly logger: Logger;
  private readonly lifecycle: Lifecycle;
  private readonly quieted = new AbortController();
  private readonly feeder: Feeder;
  private readonly claimAhead: ClaimAhead;
  private readonly slots: readonly Slot[];
  private readonly free: Slot[];
  private readonly ready = new ReadyLine();
  private feeding: Promise<void> = Promise.resolve();
  private isQuiet = false;
  private isOver = false;
  private turn: NodeJS.Immediate | undefined;
  private turnEndsAtMs = 0;
  private endedInTurn = 0;
  private ahead = 0;
  private lateTimer: NodeJS.Timeout | undefined;
  private unsettled = 0;
  private onProgress: (() => void) | undefined;

  /** @throws TSQ_CONFIG_INVALID a setting out of range */
  constructor(
    private readonly parts: ManagerParts,
    settings: Partial<ManagerSettings> = {},
  ) {
    this.settings = checked({ ...defaults, ...settings });
    this.logger = parts.logger ?? silentLogger;
    this.claimAhead = new ClaimAhead(this.settings.claimAheadMs, () => performance.now());
    const consumer = {
      wants: () => this.wants(),
      accept: (units: readonly UnitOfWork[]) => this.accept(units),
    };
    this.feeder = new Feeder(parts.fetcher, parts.order, consumer, this.settings, this.logger);
    this.slots = Array.from({ length: this.settings.concurrency }, () => this.newSlot());
    this.free = [...this.slots];
    this.lifecycle = new Lifecycle(this.name, this.logger, {
      start: () => this.startFeeding(),
      quiet: () => this.quietDown(),
      stop: (deadline, end) => this.end(deadline, end),
    });
  }

  /** Jobs that run. */
  get busy(): number {
    return this.slots.length - this.free.length;
  }

  /** Jobs that were claimed and wait for a slot. */
  get waiting(): number {
    return this.ready.size;
  }

  /** Resolves once it fetches. Redis need not be there: it is waited for. */
  start(): Promise<void> {
    return this.lifecycle.start();
  }

  /** Resolves when no fetch is on its way and what was claimed ahead is on its way back. */
  quiet(): Promise<void> {
    return this.lifecycle.quiet();
  }

  /**
   * Waits for the running jobs; at `deadline` fires their AbortSignals (TSQ_JOB_STOPPED), gives those that heed it
   * `stopGraceMs`, and puts the bytes of the others back at the head of their queues.
   */
  stop(deadline: AbortSignal, end?: AbortSignal): Promise<void> {
    return this.lifecycle.stop(deadline, end);
  }

  private async startFeeding(): Promise<void> {
    this.feeding = this.feeder.run(this.quieted.signal);
  }

  private async quietDown(): Promise<void> {
    faultPoint('quiet.before');
    this.quieted.abort();
    for (const job of this.runningJobs()) job.tellStopping?.();
    // The fetch on its way brings younger jobs: they go back first, so that the line keeps its order.
    await this.feeding;
    this.giveBack(this.ready.takeAll(), 'quiet');
    faultPoint('quiet.after');
    this.isQuiet = true;
    this.onProgress?.();
  }

  private async end(deadline: AbortSignal, end: AbortSignal): Promise<void> {
    void this.quiet(); // not waited for here: a fetch that hangs must not keep the running jobs from their deadline
    await this.until(() => this.busy === 0, deadline);
    if (this.busy > 0) await this.abandonRunning();
    const isAllSaid = () => this.isQuiet && this.unsettled === 0;
    await within(this.settings.settleWaitMs, (signal) =>
      this.until(isAllSaid, AbortSignal.any([signal, end])),
    );
    if (!isAllSaid()) {
      this.giveBack(this.ready.takeAll(), 'quiet');
      this.logger.warn(
        { outcomes: this.unsettled, fetching: !this.isQuiet },
        'Redis does not answer; what it was not told yet is left to the fetcher',
      );
    }
    faultPoint('requeue.after');
    this.isOver = true;
    clearImmediate(this.turn);
    clearTimeout(this.lateTimer);
  }

  private async abandonRunning(): Promise<void> {
    const reason = new TsqError(
      'TSQ_JOB_STOPPED',
      'the process stops and the time for running jobs is over; the job goes back to its queue and runs again',
    );
    for (const job of this.runningJobs()) job.abort(reason);
    await within(this.settings.stopGraceMs, (signal) => this.until(() => this.busy === 0, signal));
    // What runs is older than what waits: it goes back last, and ends up in front.
    this.giveBack(this.ready.takeAll(), 'quiet');
    const left = this.slots.flatMap((slot) => (slot.unit === undefined ? [] : [slot.unit]));
    faultPoint('requeue.before');
    this.giveBack(left, 'deadline');
  }

  /** Only those of this manager: others may have jobs of their own in the same list. */
  private runningJobs(): readonly RunningJob[] {
    const units = new Set(this.slots.map((slot) => slot.unit));
    return this.parts.running.list().filter((job) => units.has(job.unit));
  }

  /**
   * How many a fetch should bring now. Under load it waits until half the line is used up; without a line, until the turn
   * is over: more slots become free in it.
   */
  private wants(): number {
    if (this.quieted.signal.aborted || this.ready.size > this.lowWater) return 0;
    if (this.lowWater === 0 && this.turn !== undefined) return 0;
    return Math.min(this.free.length + this.ahead - this.ready.size, this.settings.maxBatch);
  }

  private get lowWater(): number {
    return this.ahead >> 1;
  }

  private accept(units: readonly UnitOfWork[]): void {
    if (units.length === 0) return;
    this.ready.add(units, performance.now());
    this.tell(() => this.events.emit('fetched', units.length));
    if (this.quieted.signal.aborted) return; // `quietDown` gives them back
    this.beginTurn();
    this.startReady();
  }

  /** Called for each job that ends: what it does must be cheap. */
  private startReady(): void {
    if (this.quieted.signal.aborted) return;
    while (this.free.length > 0 && this.ready.size > 0 && performance.now() < this.turnEndsAtMs) {
      const unit = this.ready.take();
      if (unit === undefined) break;
      if (this.busy === 0 && this.endedInTurn === 0) this.claimAhead.resume();
      this.free.pop()?.run(unit);
    }
    // While the rest of the line runs, the next batch is on its way.
    if (this.lowWater > 0 && this.ready.size <= this.lowWater) this.feeder.wake();
  }

  private beginTurn(): void {
    if (this.turn !== undefined) return;
    this.turnEndsAtMs = performance.now() + turnMs;
    this.turn = setImmediate(this.endTurn);
  }

  private readonly endTurn = () => {
    this.turn = undefined;
    this.claimAhead.sample(this.endedInTurn);
    this.endedInTurn = 0;
    this.ahead = this.claimAhead.jobs;
    if (this.ready.size > 0 && this.free.length > 0) {
      this.beginTurn();
      this.startReady();
    }
    this.feeder.wake();
    if (this.ready.size > 0 && this.free.length === 0) this.watchForLate(this.claimAhead.patienceMs);
  };

  private newSlot(): Slot {
    return new Slot(this.parts.processor, (slot, job) => this.onEnded(slot, job), this.logger);
  }

  private onEnded(slot: Slot, job: ProcessedJob): void {
    this.awaitSettlement(job.settlement);
    this.free.push(slot);
    this.endedInTurn += 1;
    if (this.isOver) return;
    this.beginTurn();
    this.startReady();
    this.onProgress?.();
  }

  private awaitSettlement(settlement: Promise<unknown>): void {
    this.unsettled += 1;
    settlement.then(this.onSettled, this.onSettled);
  }

  /** `lost` and unknown outcomes were logged by who knows the job: the Processor, the Fetcher. */
  private readonly onSettled = () => {
    this.unsettled -= 1;
    this.onProgress?.();
  };

  private watchForLate(afterMs: number): void {
    if (this.lateTimer !== undefined || this.isOver) return;
    this.lateTimer = setTimeout(() => {
      this.lateTimer = undefined;
      this.giveBackLate();
    }, afterMs);
  }

  /** Slow jobs hold all slots, so what was claimed ahead waits here while another process may be idle. */
  private giveBackLate(): void {
    const oldestAtMs = this.ready.oldestAtMs;
    if (oldestAtMs === undefined) return;
    // With a free slot they are not late: they start in the next turn, which looks again.
    if (this.free.length > 0) return;
    const leftMs = this.claimAhead.patienceMs - (performance.now() - oldestAtMs);
    // A fetch on its way brings younger jobs, which must go back before these: it is waited for.
    if (leftMs > 0 || this.feeder.isFetching) {
      this.watchForLate(Math.max(leftMs, 1));
      return;
    }
    this.claimAhead.forget();
    this.ahead = 0;
    this.giveBack(this.ready.takeAll(), 'late');
  }

  /** The newest first: each goes to the head of its line, so the oldest ends up in front of all. */
  private giveBack(units: readonly UnitOfWork[], reason: GiveBackReason): void {
    if (units.length === 0) return;
    for (const unit of units.toReversed()) this.awaitSettlement(unit.settle({ kind: 'requeue' }));
    this.logger.debug({ jobs: units.length, reason }, 'Jobs go back to the head of their queues');
    this.tell(() => this.events.emit('givenBack', units.length, reason));
  }

  /** What a listener throws is its own: the jobs of this step go on. */
  private tell(emit: () => void): void {
    try {
      emit();
    } catch (error) {
      logThrown(this.logger, 'error', {}, error, 'A listener of the manager failed');
    }
  }

  /** Resolves when the condition holds, or `signal` aborts. One at a time: only `end` waits. */
  private until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!holds() && !signal.aborted) return;
        this.onProgress = undefined;
        signal.removeEventListener('abort', check);
        resolve();
      };
      this.onProgress = check;
      signal.addEventListener('abort', check);
      check();
    });
  }
}

function checked(settings: ManagerSettings): ManagerSettings {
  for (const name of ['concurrency', 'maxBatch'] as const) {
    if (!Number.isSafeInteger(settings[name]) || settings[name] < 1) {
      throw new TsqError(
        'TSQ_CONFIG_INVALID',
        `${name}: expected an integer from 1 up, got ${settings[name]}`,
      );
    }
  }
  for (const [name, value] of Object.entries(settings)) {
    if (!Number.isFinite(value) || value < 0) {
      throw new TsqError('TSQ_CONFIG_INVALID', `${name}: expected milliseconds from 0 up, got ${value}`);
    }
  }
  return settings;
}
