/** A real `sidekiq` server process, as a user starts it: `sidekiq -r workers.rb -q default -c 5`. */
import { existsSync } from 'node:fs';
import { eventually } from './eventually.js';
import { RubyProcess } from './ruby-process.js';

export type RubyServerOptions = {
  readonly redisUrl: string;
  /** As `-q`: `critical,2` is a weight. Default `default`. */
  readonly queues?: readonly string[];
  /** Default 5. */
  readonly concurrency?: number;
  /** How long running jobs may go on after `stop`, in seconds. Default 5. */
  readonly timeoutSeconds?: number;
  /** On top of ours: a wrong clock (faketime.ts). */
  readonly env?: Readonly<Record<string, string>>;
} & (
  | { /** Path of the file with the workers. */ readonly requireFile: string }
  | { /** The workers themselves, as Ruby text. */ readonly source: string }
);

/** What a server needs of the folder that it runs in. */
export interface RubyFolder {
  readonly cwd: string;
  write(name: string, text: string): string;
}

const startsWithinMs = 20_000;

/** The event comes after the first heartbeat: from then on the process stands in Redis. */
const boot = `
Sidekiq.configure_server do |config|
  config.on(:heartbeat) { File.write(ENV.fetch('TSQ_READY_FILE'), Process.pid.to_s) }
end
load ENV.fetch('TSQ_WORKERS_FILE')
`;

export class RubyServer {
  private readonly process: RubyProcess;
  private readonly readyFile: string;
  private readonly stopsWithinMs: number;

  constructor(options: RubyServerOptions, folder: RubyFolder) {
    const workers = 'source' in options ? folder.write('workers.rb', options.source) : options.requireFile;
    const bootFile = folder.write('boot.rb', boot);
    this.readyFile = `${bootFile}.ready`;
    const timeoutSeconds = options.timeoutSeconds ?? 5;
    this.stopsWithinMs = timeoutSeconds * 1000 + 10_000;
    const flags = [
      ...['-r', bootFile, '-e', 'test', '-c', String(options.concurrency ?? 5), '-t', String(timeoutSeconds)],
      ...(options.queues ?? ['default']).flatMap((queue) => ['-q', queue]),
    ];
    // The gem's own command, wherever it was installed to.
    const command = ['-e', 'load Gem.bin_path("sidekiq", "sidekiq")', '--', ...flags];
    this.process = new RubyProcess(command, {
      cwd: folder.cwd,
      redisUrl: options.redisUrl,
      env: { ...options.env, TSQ_WORKERS_FILE: workers, TSQ_READY_FILE: this.readyFile },
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** Its log so far. */
  get output(): string {
    return this.process.output;
  }

  /** @throws Error with its log when it ends before, or does not make it in time */
  async started(): Promise<void> {
    const look = () => {
      if (existsSync(this.readyFile) || this.process.ended) return;
      throw new Error(`sidekiq has not started within ${startsWithinMs} ms:\n${this.output}`);
    };
    await eventually(look, startsWithinMs);
    if (this.process.ended) throw new Error(`sidekiq ended instead of starting:\n${this.output}`);
  }

  /** TSTP quiets it, TERM stops it, KILL kills it. */
  signal(name: 'SIGTSTP' | 'SIGTERM' | 'SIGKILL' | 'SIGTTIN'): void {
    this.process.signal(name);
  }

  /** TERM, and waits; may be called again. @throws Error with its log when it had to be killed */
  async stop(): Promise<void> {
    if (this.process.ended) return;
    this.signal('SIGTERM');
    const inTime = await this.process.endsWithin(this.stopsWithinMs);
    if (!inTime) throw new Error(`sidekiq did not stop within ${this.stopsWithinMs} ms:\n${this.output}`);
  }

  /** Resolves when the process is gone, whoever ended it. */
  async gone(): Promise<void> {
    await this.process.gone;
  }
}
