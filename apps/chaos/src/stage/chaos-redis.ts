/** The Redis of a stage: a real server that may die, lose the end of its log, and come back. What happens to it is written down. */
import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { RedisServer } from '@tsq/core/test-support/outside-jest';
import { type HistoryWriter, nowMicros } from '../history/history-writer.js';

export interface RedisConfig {
  /** `none`: a restart finds nothing. Default `none`. */
  readonly aof?: 'none' | 'everysec' | 'always';
  /** More flags of redis-server. */
  readonly flags?: readonly string[];
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

  /** `kill -9`. */
  override async kill(): Promise<void> {
    this.history.note({ event: 'fault', kind: 'redis-away' });
    await super.kill();
  }

  override async terminate(): Promise<void> {
    this.history.note({ event: 'fault', kind: 'redis-away' });
    await super.terminate();
  }

  /**
   * While it is down: takes the last bytes off its append-only log, as a machine that loses power does.
   * @param bytes at most what the file holds
   * @param since from when on what was written may be gone, in microseconds of the monotonic clock
   */
  cutTail(bytes: number, since = 0): void {
    const file = this.appendOnlyFile();
    truncateSync(file, Math.max(0, statSync(file).size - bytes));
    this.history.note({ event: 'fault', kind: 'lost-tail', since, text: `${bytes} bytes` });
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

  /** For `cutTail`. */
  static now(): number {
    return nowMicros();
  }
}
