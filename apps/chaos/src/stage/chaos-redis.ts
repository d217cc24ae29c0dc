/** The Redis of a stage: a real server that may die, lose the end of its log, and come back. What happens to it is written down. */
import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RedisServer } from '@tsq/core/test-support/outside-jest';
import { Redis } from 'ioredis';
import { type HistoryWriter, nowMicros } from '../history/history-writer.js';

export interface RedisConfig {
  /**
   * `none`: a restart finds nothing. `no`: what was acknowledged is in the log when the server is killed, and lost only with the
   * machine. `everysec`: as `no`, but while the disk is slow to sync, the server acknowledges up to two seconds of writes before
   * they are in the log, and a kill loses them. Default `none`.
   */
  readonly aof?: 'none' | 'no' | 'everysec' | 'always';
  /** More flags of redis-server. */
  readonly flags?: readonly string[];
}

/** The end of the append-only log at a moment. */
export interface TailMark {
  readonly file: string;
  readonly size: number;
  readonly at: number;
}

export class ChaosRedis extends RedisServer {
  private flags: readonly string[] = [];

  constructor(private readonly history: HistoryWriter) {
    super();
  }

  /** What it is started with, again after each kill. */
  configure({ aof = 'none', flags = [] }: RedisConfig): void {
    const log = aof === 'none' ? [] : ['--appendonly', 'yes', '--appendfsync', aof];
    this.flags = [...log, '--enable-debug-command', 'local', ...flags];
  }

  override async start(extra: readonly string[] = []): Promise<void> {
    await super.start([...this.flags, ...extra]);
    this.history.note({ event: 'fault', kind: 'redis-back' });
  }

  /** Starts, and is LOADING for so long at least: each command of its log takes a while until then. */
  async startSlowly(loadingMs: number): Promise<void> {
    const slow = ['--key-load-delay', '20000', '--loading-process-events-interval-bytes', '1024'];
    const started = this.start(slow);
    const admin = new Redis(this.url, { enableReadyCheck: false, maxRetriesPerRequest: null });
    admin.on('error', () => undefined); // refused until it listens
    await delay(loadingMs);
    await admin.config('SET', 'key-load-delay', '0');
    admin.disconnect();
    await started;
  }

  /** `kill -9`. */
  override async kill(): Promise<void> {
    this.history.note({ event: 'fault', kind: 'redis-away' });
    await super.kill();
  }

  override async terminate(): Promise<void> {
    this.history.note({ event: 'fault', kind: 'redis-away' });
    await super.terminate();
  }

  /** What is written from now on `cutTail` may take away. */
  markTail(): TailMark {
    const file = this.appendOnlyFile();
    return { file, size: statSync(file).size, at: nowMicros() };
  }

  /**
   * While it is down: takes the end off its append-only log, as a machine that loses power does.
   * @param share of what was written since the mark, from 0 to 1
   * @returns how many bytes
   */
  cutTail(mark: TailMark, share: number): number {
    const file = this.appendOnlyFile();
    if (file !== mark.file) throw new Error('the log was rewritten since the mark');
    const bytes = Math.ceil((statSync(file).size - mark.size) * share);
    truncateSync(file, statSync(file).size - bytes);
    // What was acknowledged just before the mark was in the file by then: Redis writes before it answers.
    this.lostTail(mark.at, `${bytes} bytes of the log`);
    return bytes;
  }

  /** Writes it down. @param since what was written from then on may be gone, in microseconds of the monotonic clock */
  lostTail(since: number, text: string): void {
    this.history.note({ event: 'fault', kind: 'lost-tail', since, text });
  }

  /** While it is down: forgets all. */
  empty(): void {
    rmSync(join(this.folder, 'appendonlydir'), { recursive: true, force: true });
    rmSync(join(this.folder, 'dump.rdb'), { force: true });
  }

  /** The last incremental file: where the newest writes are. */
  appendOnlyFile(): string {
    const folder = join(this.folder, 'appendonlydir');
    const number = (name: string) => Number(/\.(\d+)\.incr\.aof$/.exec(name)?.[1] ?? -1);
    const [last] = readdirSync(folder).sort((a, b) => number(b) - number(a));
    if (last === undefined || number(last) < 0) throw new Error(`no append-only log in ${folder}`);
    return join(folder, last);
  }

  /** Done to all who use it, until `over` is called. */
  trouble(text: string): { over(): void } {
    this.history.note({ event: 'fault', kind: 'redis-trouble', text });
    return { over: () => this.history.note({ event: 'fault', kind: 'redis-trouble-over', text }) };
  }

  /** In microseconds of the monotonic clock, as the history has it. */
  now(): number {
    return nowMicros();
  }
}
