/** One `tsq-worker` of the demo, as a process of its own. Its log goes to a file, and is shown when something is wrong. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const bin = createRequire(import.meta.url).resolve('tsq-worker/bin');
const workers = fileURLToPath(new URL('./workers.js', import.meta.url));

export interface WorkerSettings {
  readonly redisUrl: string;
  readonly queue: string;
  readonly namespace: string;
  readonly journal: string;
  readonly log: string;
}

export class WorkerProcess {
  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
    private readonly log: string,
  ) {}

  /** The times are short, so that the show is: by default a beat comes each 30 s, and vouches for 90. */
  static start(name: string, settings: WorkerSettings): WorkerProcess {
    const times = ['--heartbeat-interval', '1', '--heartbeat-ttl', '3', '--recovery-interval', '1'];
    const start = ['--recovery-start-delay', '1', '--poll-average', '1'];
    // Of the demo's classes nobody wants to read on the Metrics page of a fleet.
    const place = [
      '-r',
      workers,
      '-q',
      settings.queue,
      '--namespace',
      settings.namespace,
      '--metrics',
      'off',
    ];
    const output = openSync(settings.log, 'a');
    const child = spawn(
      process.execPath,
      [bin, ...place, '-c', '5', '-t', '5', '--tag', 'demo', ...times, ...start],
      {
        env: { ...process.env, REDIS_URL: settings.redisUrl, TSQ_DEMO_JOURNAL: settings.journal },
        stdio: ['ignore', output, output],
      },
    );
    return new WorkerProcess(name, child, settings.log);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** As Sidekiq's pages name it; undefined until it is ready. */
  get identity(): string | undefined {
    return /"identity":"([^"]+)"/.exec(this.logText())?.[1];
  }

  /** What it said; for when something is wrong. */
  logText(): string {
    return readFileSync(this.log, 'utf8');
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }
}
