/** One Ruby process: what it printed is at hand when it fails, and it never outlives its test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

export interface RubyProcessOptions {
  readonly cwd: string;
  readonly redisUrl: string;
  /** On top of ours. */
  readonly env?: Readonly<Record<string, string>>;
}

export class RubyProcess {
  private readonly child: ChildProcess;
  private readonly printed: Buffer[] = [];
  /** Resolves, once, when the process is gone and its output is read. */
  readonly gone: Promise<void>;
  private hasEnded = false;
  private failure = '';

  constructor(args: readonly string[], options: RubyProcessOptions) {
    this.child = spawn('ruby', args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env, REDIS_URL: options.redisUrl },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => this.printed.push(chunk));
    this.child.stderr?.on('data', (chunk: Buffer) => this.printed.push(chunk));
    this.gone = new Promise<void>((resolve) => {
      this.child.once('close', () => resolve());
      this.child.once('error', (error) => {
        this.failure = error.message;
        resolve();
      });
    }).then(() => {
      this.hasEnded = true;
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get ended(): boolean {
    return this.hasEnded;
  }

  /** All that it printed so far, on both streams. */
  get output(): string {
    return `${Buffer.concat(this.printed).toString('utf8')}${this.failure}`;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Kills it when it takes longer. @throws Error with its output, unless it ended with 0 in time */
  async succeeded(withinMs: number): Promise<void> {
    const inTime = await this.endsWithin(withinMs);
    if (inTime && this.child.exitCode === 0) return;
    const how = inTime
      ? `ended with ${this.child.exitCode ?? this.child.signalCode ?? 'an error'}`
      : `took more than ${withinMs} ms and was killed`;
    throw new Error(`Ruby ${how}:\n${this.output}`);
  }

  /** Whether it ended by itself in time; it is gone in both cases. */
  async endsWithin(withinMs: number): Promise<boolean> {
    const timer = new AbortController();
    const tooLate = delay(withinMs, false, { signal: timer.signal }).catch(() => false); // aborted below, in time
    const inTime = await Promise.race([this.gone.then(() => true), tooLate]);
    timer.abort();
    if (inTime) return true;
    this.signal('SIGKILL');
    await this.gone;
    return false;
  }
}
