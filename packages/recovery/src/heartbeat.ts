/**
 * The instance's sign of life. The beats themselves are in a thread (heartbeat-thread.ts), because the main thread may be
 * busy with a job for longer than a TTL; here is what the process must know of them: that it is registered, that a beat
 * went through, that it was taken for dead and goes on under a new id. It starts before anything that claims, and stops last.
 */
import { Worker } from 'node:worker_threads';
import {
  type Component,
  type ConnectionReporter,
  type Logger,
  Outages,
  type RedisLocation,
  silentLogger,
  TsqError,
  untilSaid,
} from '@tsq/core';
import { type Instance, type InstanceId, Keyspace } from '@tsq/tracker';
import { FlightRecorder } from './flight-recorder.js';
import type { MissedBeat, News, Order, ThreadSettings } from './heartbeat-messages.js';
import { type HeartbeatSettings, heartbeatSettings, type Profiled, stallMsOf } from './settings.js';
import type { Stall } from './stall-watch.js';
import type { ThreadLogSource } from './thread-log.js';

export interface HeartbeatOptions extends Partial<HeartbeatSettings>, Profiled {
  /** Handed to a thread: its options must be such that they can be cloned. */
  readonly location: RedisLocation;
  readonly instance: Instance;
  readonly keyspace?: Keyspace;
  readonly logger?: Logger;
  /** Who speaks for all the connections of the process. Default: the heartbeat's for itself. */
  readonly report?: ConnectionReporter;
  /** For lines that can't wait until the main thread is free. Without one they go to `logger`, and wait. */
  readonly threadLog?: ThreadLogSource;
}

export type MissListener = (beat: MissedBeat) => void;

export type LapseListener = (fresh: InstanceId, lapsed: InstanceId) => void;

export type StallListener = (stall: Stall) => void;

/** Since the start of the process. */
export interface HeartbeatCounts {
  readonly beats: number;
  /** Tries that failed, and beats that came an interval or more too late. */
  readonly missed: number;
  /** How often this process was declared dead, and took a new id. */
  readonly lapses: number;
  /** How often the thread died, and was replaced. */
  readonly threadRestarts: number;
  /** How often the event loop stood still for long, and turned again. */
  readonly stalls: number;
}

/** For the thread's goodbye after the deadline of the stop, where the caller sets no end. */
const graceMs = 3_000;
/** Between two beats that are asked for: whoever fails again and again asks each time. */
const nudgeIntervalMs = 1_000;
const longestRestartPauseMs = 5_000;

export class Heartbeat implements Component {
  readonly name = 'heartbeat';
  /** Told of the jobs that run, it names them when one of them blocks the event loop. */
  readonly recorder: FlightRecorder;
  private readonly settings: HeartbeatSettings;
  private readonly keyspace: Keyspace;
  private readonly logger: Logger;
  private readonly report: ConnectionReporter;
  private readonly beatListeners = new Set<() => void>();
  private readonly missListeners = new Set<MissListener>();
  private readonly lapseListeners = new Set<LapseListener>();
  private readonly stallListeners = new Set<StallListener>();
  private readonly counted = { beats: 0, missed: 0, lapses: 0, threadRestarts: 0, stalls: 0 };
  /** Threads that died in a row, without a beat between them. */
  private deaths = 0;
  private thread: Worker | undefined;
  /** The thread may have told Redis something. */
  private hasOrders = false;
  /** The id that a thread was told to register. */
  private registeredId: InstanceId | undefined;
  private restartTimer: NodeJS.Timeout | undefined;
  private nudgedAtMs = Number.NEGATIVE_INFINITY;
  private started: Promise<void> | undefined;
  private stopped: Promise<void> | undefined;
  private settleStart:
    | { readonly resolve: () => void; readonly reject: (error: TsqError) => void }
    | undefined;

  /** @throws TSQ_CONFIG_INVALID */
  constructor(private readonly options: HeartbeatOptions) {
    this.settings = heartbeatSettings(options);
    this.keyspace = options.keyspace ?? new Keyspace();
    this.logger = options.logger ?? silentLogger;
    this.report = options.report ?? new Outages(this.logger).hear;
    checkCloneable(options.location);
    const tickMs = Math.ceil(stallMsOf(this.settings) / 4);
    this.recorder = new FlightRecorder(Math.min(250, tickMs), (id) => this.tell({ kind: 'owner', id }));
  }

  get counts(): HeartbeatCounts {
    return { ...this.counted };
  }

  /** Called after each beat that Redis took; after a blocked time, once for each that was sent during it. */
  onBeat(listener: () => void): void {
    this.beatListeners.add(listener);
  }

  /** Called for each beat that did not go through when it was due; after a blocked time, once for each during it. */
  onMiss(listener: MissListener): void {
    this.missListeners.add(listener);
  }

  /** Called when this process was declared dead and has taken a new id, which is not registered yet: `onBeat` follows. */
  onLapse(listener: LapseListener): void {
    this.lapseListeners.add(listener);
  }

  /** Called when the event loop turns again after it stood still for long; the log has said so when that began. */
  onStall(listener: StallListener): void {
    this.stallListeners.add(listener);
  }

  /**
   * Asks for a beat before its time, at most one a second: for who was told that the instance is not registered. A Redis
   * that came back empty knows nobody, and until the next beat this process would be refused every job.
   */
  beatNow(): void {
    const nowMs = performance.now();
    if (nowMs - this.nudgedAtMs < nudgeIntervalMs) return;
    this.nudgedAtMs = nowMs;
    this.tell({ kind: 'beat-now' });
  }

  /** Resolves after the first beat, however long Redis is away; rejects only when stopped: TSQ_COMPONENT_STOPPED. */
  async start(): Promise<void> {
    if (this.stopped !== undefined) throw stoppedError();
    this.started ??= new Promise((resolve, reject) => {
      this.settleStart = { resolve, reject };
      this.spawn();
    });
    await this.started;
  }

  async quiet(): Promise<void> {
    // Beats go on: what runs must be kept.
  }

  stop(deadline: AbortSignal, end?: AbortSignal): Promise<void> {
    this.stopped ??= this.finish(deadline, end);
    return this.stopped;
  }

  private spawn(): void {
    this.recorder.start();
    const { location, threadLog } = this.options;
    const { namespace } = this.keyspace;
    const { source: flight } = this.recorder;
    const settings: ThreadSettings = { location, namespace, flight, threadLog, ...this.settings };
    const thread = new Worker(new URL('./heartbeat-thread.js', import.meta.url), { workerData: settings });
    let failure: unknown;
    thread.on('message', (news: News) => this.hear(news));
    thread.on('error', (error) => {
      failure = error;
    });
    thread.once('exit', (exitCode) => this.onExit(exitCode, failure));
    this.thread = thread;
    this.hasOrders = false;
  }

  /** The id is registered once. A thread after that may only renew: the id may have been declared dead since. */
  private orderBeats(id: InstanceId): void {
    const mode = id === this.registeredId ? 'renew' : 'register';
    this.registeredId = id;
    this.hasOrders = true;
    this.tell({ kind: 'beat', id, mode });
  }

  private tell(order: Order): void {
    this.thread?.postMessage(order);
  }

  private hear(news: News): void {
    if (news.kind === 'connection') this.report(news.news);
    else if (news.kind === 'log') this.logger[news.level](news.fields, news.message);
    else if (news.kind === 'retired') void this.thread?.terminate();
    else if (this.stopped !== undefined) return;
    else if (news.kind === 'awake') this.orderBeats(this.options.instance.id);
    else if (news.kind === 'beat') this.onBeatOf(news.id);
    else if (news.kind === 'missed') this.onMissOf(news.beat);
    else if (news.kind === 'stall') this.onStallOf(news.stall);
    else this.onLapseOf(news.id);
  }

  private onBeatOf(id: InstanceId): void {
    if (id !== this.options.instance.id) return;
    this.counted.beats += 1;
    this.deaths = 0;
    // From here on the thread alone does not keep the process up; a process that just ends takes it along.
    this.thread?.unref();
    this.settleStart?.resolve();
    for (const listener of this.beatListeners) this.call(listener);
  }

  private onMissOf(beat: MissedBeat): void {
    this.counted.missed += 1;
    for (const listener of this.missListeners) this.call(() => listener(beat));
  }

  private onLapseOf(lapsed: InstanceId): void {
    const { instance } = this.options;
    if (lapsed !== instance.id) return;
    this.counted.lapses += 1;
    const fresh = instance.renew();
    this.orderBeats(fresh);
    this.logger.error(
      { lapsed, instance: fresh },
      'this instance is not registered any more: no beat came through for its TTL and the others declared it dead, or Redis lost its keys; it goes on under a new id',
    );
    for (const listener of this.lapseListeners) this.call(() => listener(fresh, lapsed));
  }

  private onStallOf(stall: Stall): void {
    this.counted.stalls += 1;
    for (const listener of this.stallListeners) this.call(() => listener(stall));
  }

  /** A listener that throws must not end the process, nor keep the others from hearing. */
  private call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.logger.error({ err: error }, 'a listener of the heartbeat failed');
    }
  }

  private onExit(exitCode: number, failure: unknown): void {
    this.thread = undefined;
    if (this.stopped !== undefined) return;
    const pauseMs = Math.min(
      longestRestartPauseMs,
      this.deaths === 0 ? 0 : 50 * 2 ** Math.min(this.deaths, 10),
    );
    this.deaths += 1;
    this.counted.threadRestarts += 1;
    this.logger.error({ exitCode, err: failure, pauseMs }, "the heartbeat's thread died; another is started");
    this.restartTimer = setTimeout(() => this.spawn(), pauseMs);
  }

  private async finish(deadline: AbortSignal, end: AbortSignal | undefined): Promise<void> {
    clearTimeout(this.restartTimer);
    this.settleStart?.reject(stoppedError());
    const { thread } = this;
    if (thread !== undefined) await untilSaid(deadline, end, graceMs, (over) => this.takeLeave(thread, over));
    this.recorder.stop(); // not before: a thread that watches would take it for a stall
  }

  private async takeLeave(thread: Worker, end: AbortSignal): Promise<void> {
    thread.ref();
    const exited = new Promise<void>((resolve) => {
      thread.once('exit', () => resolve());
    });
    const terminate = () => void thread.terminate();
    if (this.hasOrders) this.tell({ kind: 'retire' });
    else terminate(); // Redis has heard nothing of it
    if (end.aborted) terminate();
    else end.addEventListener('abort', terminate, { once: true });
    await exited;
    end.removeEventListener('abort', terminate);
  }
}

function stoppedError(): TsqError {
  return new TsqError('TSQ_COMPONENT_STOPPED', 'the heartbeat was stopped; it lives once: make a new one');
}

function checkCloneable(location: RedisLocation): void {
  try {
    structuredClone(location);
  } catch (cause) {
    throw new TsqError(
      'TSQ_CONFIG_INVALID',
      `the options of the Redis connection: expected plain data, which a thread can be given; ${String(cause)}`,
      { cause },
    );
  }
}
