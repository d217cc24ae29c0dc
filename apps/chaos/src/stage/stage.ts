/**
 * What a row or a run plays on: a Redis of its own, real worker processes, proxies between them, producers, and a history
 * outside Redis in which everybody writes. Every choice comes from one seed. What was started ends with it, by its own pid; what
 * it wrote is kept when it failed.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, Seeded, TcpProxy } from '@tsq/core/test-support/outside-jest';
import type { Redis } from 'ioredis';
import { type CheckSettings, checkHistory } from '../checker/check-history.js';
import type { Report } from '../checker/report.js';
import { HistoryWriter } from '../history/history-writer.js';
import type { FaultKind, HistoryLine } from '../history/line.js';
import { readHistory } from '../history/read-history.js';
import { ChaosRedis, type RedisConfig } from './chaos-redis.js';
import { allHasEnded, type FinalState, finalState, hastenRetries } from './final-state.js';
import { Producer } from './producer.js';
import { spawnWorker, type WorkerOptions } from './start-worker.js';
import { WorkerProcess } from './worker-process.js';

/** `small`: a row takes some ten seconds, and many run at once. `full`: as the matrix says. */
export type StageSize = 'small' | 'full';

/** Twenty at once on two cores need their time. */
const startsWithinMs = 180_000;

export class Stage {
  readonly random: Seeded;
  /** Of all that is written: histories, logs. */
  readonly folder: string;
  private readonly history: HistoryWriter;
  private readonly servers: ChaosRedis[] = [];
  private readonly processes: WorkerProcess[] = [];
  private readonly proxies: TcpProxy[] = [];
  private readonly producers: Producer[] = [];
  private readonly endings: (() => void | Promise<void>)[] = [];

  constructor(
    readonly seed: number,
    readonly size: StageSize = 'small',
  ) {
    this.random = new Seeded(seed);
    this.folder = mkdtempSync(join(tmpdir(), 'tsq-chaos-'));
    mkdirSync(this.historyFolder);
    process.on('exit', this.killAll);
    this.history = new HistoryWriter(this.historyFolder);
  }

  /** The first is the stage's own, which workers, proxies and producers take unless they are told another. */
  async redis(config: RedisConfig = {}): Promise<ChaosRedis> {
    const server = new ChaosRedis(this.history);
    server.configure(config);
    this.servers.push(server);
    await server.start();
    return server;
  }

  /** The stage's own Redis. */
  get ownRedis(): ChaosRedis {
    const [first] = this.servers;
    if (first === undefined) throw new Error('the stage has no Redis yet: call stage.redis() first');
    return first;
  }

  /** A plain connection to it, closed with the stage. */
  connect(server = this.ownRedis): Redis {
    const redis = server.connect();
    redis.on('error', () => undefined); // it comes and goes, as its server does
    return redis;
  }

  /** A real tsq-worker. Resolves when it takes jobs. */
  async worker(options: WorkerOptions = {}): Promise<WorkerProcess> {
    const logFile = join(this.folder, `worker-${this.processes.length + 1}.log`);
    const url = options.via?.url ?? options.url ?? this.ownRedis.url;
    const child = spawnWorker(options, url, this.historyFolder, logFile);
    child.on('error', () => undefined); // it has no pid then, and `ready` says so
    const { via: proxy, fault } = options;
    const worker = new WorkerProcess({ child, logFile, history: this.history, proxy, fault });
    this.processes.push(worker);
    if (options.until !== 'spawned') await this.untilReady(worker);
    return worker;
  }

  async untilReady(worker: WorkerProcess): Promise<void> {
    await eventually(() => {
      if (worker.log.includes('ready: takes jobs')) return;
      if (!worker.isRunning) throw new Error(`tsq-worker ended with ${worker.ending}:\n${worker.log}`);
      throw new Error(`tsq-worker is not ready:\n${worker.log}`);
    }, startsWithinMs);
  }

  /** Between one process and Redis: `worker({ via: await stage.proxy() })`. */
  async proxy(server = this.ownRedis): Promise<TcpProxy> {
    const proxy = await TcpProxy.before(server.port);
    this.proxies.push(proxy);
    return proxy;
  }

  /** Enqueues and writes down what was acknowledged. */
  client(url = this.ownRedis.url): Producer {
    const producer = new Producer(url, this.history, () => this.jid());
    this.producers.push(producer);
    return producer;
  }

  /** 24 hex digits that the seed decides. */
  jid(): string {
    return Array.from({ length: 24 }, () => this.random.below(16).toString(16)).join('');
  }

  /** Writes down a fault that the stage does not do itself: a proxy's mode, a command to Redis. */
  note(kind: FaultKind, text: string, target?: number): void {
    this.history.note({ event: 'fault', kind, text, target });
  }

  /** What has happened so far, in the order of time. */
  lines(): readonly HistoryLine[] {
    return readHistory(this.historyFolder);
  }

  /** Waits for a condition; fails with the check's own error. */
  async eventually<T>(check: () => T | Promise<T>, withinMs = 30_000): Promise<T> {
    return await eventually(check, withinMs);
  }

  /** A fault lasts its time; what must come true is waited for with `eventually`. */
  async pause(ms: number): Promise<void> {
    await delay(ms);
  }

  /** Waits until all queues, `retry` and `schedule` are empty, and nobody holds a claim. Retries come at once. */
  async drained(withinMs = 60_000, server = this.ownRedis): Promise<void> {
    const redis = this.connect(server);
    await eventually(async () => {
      await hastenRetries(redis);
      await allHasEnded(redis);
    }, withinMs);
  }

  /** Ends all workers that run, in good order. */
  async stopWorkers(): Promise<void> {
    await Promise.all(this.processes.map((worker) => worker.stop()));
  }

  /** Where jobs are, and which keys of the namespace are left. */
  async finalState(server = this.ownRedis): Promise<FinalState> {
    return await finalState(this.connect(server));
  }

  /**
   * Stops the workers and decides from history and Redis whether the invariants held.
   * @param server where all is at the end: after a failover not the stage's own
   * @throws what did not
   */
  async verify(settings: CheckSettings = {}, server = this.ownRedis): Promise<Report> {
    await this.stopWorkers();
    const report = checkHistory(this.lines(), await this.finalState(server), settings);
    if (report.violations.length > 0) {
      const shown = report.violations
        .slice(0, 20)
        .map(({ rule, subject, text }) => `${rule}: ${subject} ${text}`);
      throw new Error(`${report.violations.length} violations, the first:\n${shown.join('\n')}`);
    }
    return report;
  }

  /** Called at the end, last added first. */
  atEnd(ending: () => void | Promise<void>): void {
    this.endings.push(ending);
  }

  get workers(): readonly WorkerProcess[] {
    return this.processes;
  }

  /** For a program that is ended in the middle: nothing of what it has started may stay behind. */
  private readonly killAll = (): void => {
    for (const worker of this.processes) worker.signal('SIGKILL');
    for (const server of this.servers) server.killNow();
  };

  /** Ends everything. @param outcome `failed`: what was written stays, and so do the files of Redis */
  async close(outcome: 'passed' | 'failed'): Promise<void> {
    process.off('exit', this.killAll);
    for (const ending of this.endings.reverse()) await ending();
    await Promise.all(this.processes.map((worker) => worker.kill()));
    await Promise.all(this.producers.map((producer) => producer.close()));
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    for (const server of this.servers) {
      server.closeConnections();
      if (outcome === 'passed') await server.stop();
      else await server.kill();
    }
    if (outcome === 'passed') rmSync(this.folder, { recursive: true, force: true });
  }

  /** Where what a failed stage leaves lies. */
  get artefacts(): readonly string[] {
    return [this.folder, ...this.servers.map(({ folder }) => folder)];
  }

  get historyFolder(): string {
    return join(this.folder, 'history');
  }
}
