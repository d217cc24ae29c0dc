/**
 * A job while it runs: what middleware and workers see of it (`Job`), and how the Manager reaches it (`RunningJob`). One
 * object for both, and lazy: a signal, a logger and a slot's name cost more than a job's way through the runtime, and
 * few jobs ask for them.
 */
import {
  isLogLevel,
  type Job,
  type JsonValue,
  type Logger,
  type LogLevel,
  type Payload,
  type TsqError,
  type UnitOfWork,
  type WorkerOptions,
} from '@tsq/core';
import { readCurrentAttributes } from './current-attributes.js';
import type { Interruption } from './iteration.js';
import type { RegisteredWorker } from './registered-worker.js';
import type { RunningJob } from './running-jobs.js';

const noOptions: WorkerOptions = Object.freeze({});

/** For the whole program: Processors of several capsules show their jobs in one list. */
let slots = 0;

export class RunningJobContext implements Job, RunningJob {
  readonly class: string;
  /** undefined until it is found, and for a class that this process does not know. */
  worker: RegisteredWorker | undefined;
  /** Why the job is to end early; the first reason counts. */
  abortReason: TsqError | undefined;
  /** Called when somebody else ends the job while it is decided what becomes of its failure. */
  whenTakenAway: (() => void) | undefined;
  /** An iterable job that is not at its end: why it goes on later. */
  interruption: Interruption | undefined;
  /** Called once Redis has confirmed that the job is done. */
  whenDone: (() => void) | undefined;
  private isStopping = false;
  private stoppingController: AbortController | undefined;
  readonly beganAtMs = performance.now();
  recordedAt: number | undefined;
  seat = -1;
  private readonly slotNumber = slots++;
  private startedAtEpochMs: number | undefined;
  private controller: AbortController | undefined;
  private child: Logger | undefined;
  private parent: Logger | undefined;

  /** @param args of the payload, decoded */
  constructor(
    readonly unit: UnitOfWork,
    readonly payload: Payload,
    readonly args: readonly JsonValue[],
    private readonly parentLogger: Logger,
  ) {
    this.class = payload.class;
  }

  get jid(): string {
    return this.payload.jid ?? '';
  }

  get queue(): string {
    return this.unit.queue;
  }

  get options(): WorkerOptions {
    return this.worker?.options ?? noOptions;
  }

  get retryCount(): number | undefined {
    return this.payload.integer('retry_count');
  }

  get attempt(): number {
    return (this.retryCount ?? -1) + 2;
  }

  get displayClass(): string {
    return this.payload.string('display_class') ?? this.payload.string('wrapped') ?? this.class;
  }

  get tags(): readonly string[] {
    const tags = this.payload.has('tags') ? this.payload.value('tags') : this.options.tags;
    return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
  }

  get locale(): string | undefined {
    return this.payload.string('locale');
  }

  currentAttributes(key = 'cattr'): Readonly<Record<string, JsonValue>> | undefined {
    return readCurrentAttributes(this.payload.has(key) ? this.payload.value(key) : undefined);
  }

  get logger(): Logger {
    this.child ??= this.levelLogger.child(this.logFields);
    return this.child;
  }

  /** Which job a line of the log is about. */
  get logFields(): { jid: string; class: string; queue: string; tags?: readonly string[] } {
    const { jid, displayClass, queue, tags } = this;
    return { jid, class: displayClass, queue, ...(tags.length > 0 ? { tags } : undefined) };
  }

  /** Without the job's fields, but at its level. */
  get levelLogger(): Logger {
    this.parent ??=
      this.logLevel === undefined ? this.parentLogger : this.parentLogger.child({}, { level: this.logLevel });
    return this.parent;
  }

  /** The job's own, else its worker's. */
  get logLevel(): LogLevel | undefined {
    const own = this.payload.string('log_level');
    return isLogLevel(own) ? own : this.options.logLevel;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.abortReason !== undefined) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  get stopping(): AbortSignal {
    if (this.stoppingController === undefined) {
      this.stoppingController = new AbortController();
      if (this.isStopping) this.stoppingController.abort();
    }
    return this.stoppingController.signal;
  }

  get slot(): string {
    return this.slotNumber.toString(36).padStart(4, '0');
  }

  /** Milliseconds since the epoch, the same at each look. */
  get startedAtMs(): number {
    this.startedAtEpochMs ??= Math.round(Date.now() - this.durationMs);
    return this.startedAtEpochMs;
  }

  get durationMs(): number {
    return performance.now() - this.beganAtMs;
  }

  /** The job is not this process' to end any more: it was told to stop, or its claim is lost. */
  get isTakenAway(): boolean {
    const code = this.abortReason?.code;
    return code === 'TSQ_JOB_STOPPED' || code === 'TSQ_CLAIM_LOST';
  }

  tellStopping(): void {
    this.isStopping = true;
    this.stoppingController?.abort();
  }

  abort(reason: TsqError): void {
    if (reason.code !== 'TSQ_JOB_TIMEOUT') this.whenTakenAway?.();
    if (this.abortReason !== undefined) return;
    this.abortReason = reason;
    this.controller?.abort(reason);
  }
}
