/**
 * Makes this process visible to Sidekiq's Web UI and API, and lets them quiet and stop it.
 *
 * It decides about nothing: whether a process lives, and whose jobs are whose, is the tracker's heartbeat to say. So a
 * beat that fails (a full Redis refuses it) is logged and tried again, and jobs go on meanwhile.
 */
import {
  type Component,
  keys,
  type Logger,
  type MetricsFormName,
  pause,
  removeGoneProcesses,
  repliesOf,
  silentLogger,
  Trouble,
  timestampJson,
} from '@tsq/core';
import type { Redis } from 'ioredis';
import type { JobMetrics } from './job-metrics.js';
import type { JobStats } from './job-stats.js';
import { Lifecycle } from './lifecycle.js';
import { flushMetrics } from './metrics-flush.js';
import { type ProcessInfo, processInfoJson, totalConcurrency } from './process-info.js';
import type { RunningJob, RunningJobs } from './running-jobs.js';
import { flushStats } from './stats-flush.js';
import { unlessLate } from './within.js';

/** What Ruby's `quiet!`, `dump_threads` and `stop!` send, and INT, which Sidekiq takes as TERM. Nothing else is obeyed. */
export type ProcessSignal = 'TSTP' | 'TTIN' | 'TERM' | 'INT';

export interface ProcessRegistryOptions {
  /** Not closed by the registry. */
  readonly redis: Redis;
  readonly info: ProcessInfo;
  readonly running: RunningJobs;
  readonly stats: JobStats;
  /** What the Metrics page shows of this process. Default: none. */
  readonly metrics?: JobMetrics | undefined;
  /** The versions of Sidekiq whose Metrics page is to show it. Default: both. */
  readonly metricsForms?: readonly MetricsFormName[];
  /** Called with what somebody asked this process, from afar, to do. */
  readonly onSignal: (signal: ProcessSignal) => void;
  readonly logger?: Logger;
  /** Default 10000. */
  readonly beatIntervalMs?: number;
  /** Of the process hash and of what runs, after the last beat. Default 60. */
  readonly ttlSeconds?: number;
  /** false: don't write `ID:workers`, which only readers up to 6.4.1 look at. Default true. */
  readonly showToOldReaders?: boolean;
  /** Between two looks for processes that went without a goodbye; the fleet together once a minute. Default 60000. */
  readonly pruneIntervalMs?: number;
}

export class ProcessRegistry implements Component {
  readonly name = 'process-registry';
  private readonly redis: Redis;
  private readonly identity: string;
  private readonly infoJson: string;
  private readonly ttlSeconds: number;
  private readonly logger: Logger;
  private readonly lifecycle: Lifecycle;
  private readonly trouble: Trouble;
  private readonly pruneTrouble: Trouble;
  private readonly statsTrouble: Trouble;
  private readonly metricsTrouble: Trouble;
  private readonly stopping = new AbortController();
  private isQuiet = false;
  private isRegistered = false;
  private rttMicroseconds = 0;
  private prunedAtMs = Number.NEGATIVE_INFINITY;
  private beating: Promise<void> = Promise.resolve();
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly options: ProcessRegistryOptions) {
    this.redis = options.redis;
    this.identity = options.info.identity;
    this.infoJson = processInfoJson(options.info);
    this.ttlSeconds = options.ttlSeconds ?? 60;
    this.logger = options.logger ?? silentLogger;
    this.trouble = new Trouble(this.logger, "Can't show this process to the Web UI");
    this.pruneTrouble = new Trouble(this.logger, "Can't look for processes that are gone", 'warn');
    this.statsTrouble = new Trouble(this.logger, "Can't add to the statistics");
    this.metricsTrouble = new Trouble(this.logger, "Can't add to the metrics");
    this.lifecycle = new Lifecycle(this.name, this.logger, {
      start: () => this.register(),
      quiet: () => this.showQuiet(),
      stop: (_deadline, end) => this.unregister(end),
    });
  }

  /** Resolves once the process is visible, or Redis has refused it: a full Redis must not keep jobs from draining it. */
  start(): Promise<void> {
    return this.lifecycle.start();
  }

  /** Resolves once the Web UI shows it, or Redis is away. The beats go on: a quiet process lives. */
  quiet(): Promise<void> {
    return this.lifecycle.quiet();
  }

  /** Says goodbye, after the last counts are written. */
  stop(deadline: AbortSignal, end?: AbortSignal): Promise<void> {
    return this.lifecycle.stop(deadline, end);
  }

  private async register(): Promise<void> {
    this.isRegistered = true;
    await this.beat();
    this.running = this.run();
  }

  private async showQuiet(): Promise<void> {
    this.isQuiet = true;
    if (this.isRegistered) await this.beat();
  }

  private async unregister(end: AbortSignal): Promise<void> {
    this.stopping.abort();
    if ((await unlessLate(this.finish(), end)) === 'done') return;
    this.logger.warn({}, `Redis does not answer; the process is shown for up to ${this.ttlSeconds} s more`);
  }

  private async finish(): Promise<void> {
    await this.running;
    await this.beating;
    if (this.isRegistered) await this.sayGoodbye();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.prune();
      await pause(this.options.beatIntervalMs ?? 10_000, signal);
      if (!signal.aborted) await this.beat();
    }
  }

  /** One after the other: an older beat must not overwrite what a newer one says. Never rejects. */
  private beat(): Promise<void> {
    this.beating = this.beating.then(async () => {
      try {
        await this.writeBeat();
        this.trouble.over();
      } catch (error) {
        this.trouble.met(error);
      }
    });
    return this.beating;
  }

  private async writeBeat(): Promise<void> {
    await this.flushStats();
    await this.flushMetrics();
    await this.writeRunning();
    await this.measureRoundTrip();
    await this.writeProcess();
  }

  /** On its own: a statistics key of the wrong type must not hide the process. Never rejects. */
  private async flushStats(): Promise<void> {
    try {
      await flushStats(this.redis, this.options.stats, Date.now());
      this.statsTrouble.over();
    } catch (error) {
      this.statsTrouble.met(error);
    }
  }

  /** On its own, too. Never rejects. */
  private async flushMetrics(): Promise<void> {
    const { metrics, metricsForms = ['sidekiq7', 'sidekiq8'] } = this.options;
    if (metrics === undefined) return;
    try {
      await flushMetrics(this.redis, metrics, metricsForms);
      this.metricsTrouble.over();
      const lost = metrics.takeLost();
      if (lost > 0) this.logger.warn({ executions: lost }, 'Executions are missing from the metrics');
    } catch (error) {
      this.metricsTrouble.met(error);
    }
  }

  /** What runs, for each generation of readers under its own key; written anew each time, as a whole. */
  private async writeRunning(): Promise<void> {
    const commands = this.redis.multi();
    const entries = this.options.running.list().flatMap((job) => [job.slot, workEntry(job)]);
    for (const key of this.workKeys) {
      commands.unlink(key);
      if (entries.length > 0) commands.hset(key, ...entries).expire(key, this.ttlSeconds);
    }
    await repliesOf(commands);
  }

  private get workKeys(): readonly string[] {
    const current = keys.work(this.identity);
    return this.options.showToOldReaders === false ? [current] : [current, keys.workers(this.identity)];
  }

  private async measureRoundTrip(): Promise<void> {
    const sentAtMs = performance.now();
    await this.redis.ping();
    this.rttMicroseconds = Math.round((performance.now() - sentAtMs) * 1_000);
  }

  private async writeProcess(): Promise<void> {
    const replies = await repliesOf(
      this.redis
        .multi()
        .sadd(keys.processes, this.identity)
        .hset(keys.process(this.identity), this.processFields())
        .expire(keys.process(this.identity), this.ttlSeconds)
        .rpop(keys.signals(this.identity)),
    );
    const signal = replies.at(-1);
    if (typeof signal === 'string') this.obey(signal);
  }

  private processFields(): Record<string, string | number> {
    return {
      info: this.infoJson,
      concurrency: totalConcurrency(this.options.info), // read here from 8.1.2 on
      busy: this.options.running.size,
      beat: timestampJson('seconds', Date.now()), // seconds in both dialects
      quiet: String(this.isQuiet),
      rss: Math.round(process.memoryUsage.rss() / 1_024),
      rtt_us: this.rttMicroseconds,
    };
  }

  private obey(signal: string): void {
    if (isProcessSignal(signal)) {
      this.logger.info({ signal }, 'Asked from afar');
      this.options.onSignal(signal);
      return;
    }
    this.logger.warn(
      { signal },
      'Asked from afar for something that is not done; TSTP, TTIN, TERM and INT are',
    );
  }

  /** Takes processes off the list that went without a goodbye: their hash has expired. Never rejects. */
  private async prune(): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.prunedAtMs < (this.options.pruneIntervalMs ?? 60_000)) return;
    this.prunedAtMs = nowMs;
    try {
      const gone = await removeGoneProcesses(this.redis);
      this.pruneTrouble.over();
      if (gone.length === 0) return;
      this.logger.info({ processes: gone }, 'Took processes off the list that went without a goodbye');
    } catch (error) {
      this.pruneTrouble.met(error);
    }
  }

  private async sayGoodbye(): Promise<void> {
    await this.flushStats();
    await this.flushMetrics();
    try {
      // The hash is left to expire, as Sidekiq leaves it; without the list nobody looks at it.
      await repliesOf(
        this.redis
          .multi()
          .srem(keys.processes, this.identity)
          .unlink(...this.workKeys),
      );
    } catch (error) {
      this.logger.warn(
        { err: error },
        `Could not say goodbye; the process is shown for up to ${this.ttlSeconds} s more`,
      );
    }
  }
}

/** The payload stands in it as a string; bytes that are no UTF-8 are shown as U+FFFD, and only shown. */
function workEntry({ unit, startedAtMs }: RunningJob): string {
  const runAtSeconds = Math.floor(startedAtMs / 1_000);
  return JSON.stringify({ queue: unit.queue, payload: unit.bytes.toString(), run_at: runAtSeconds });
}

function isProcessSignal(signal: string): signal is ProcessSignal {
  return signal === 'TSTP' || signal === 'TTIN' || signal === 'TERM' || signal === 'INT';
}
