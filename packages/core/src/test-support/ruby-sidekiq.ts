/**
 * Ruby's real Sidekiq, for interop tests: snippets that push jobs and read the API, and whole server processes. What it
 * starts it also ends, by its own pid, and its files live in one temp folder that goes with it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RubyProcess } from './ruby-process.js';
import { RubyServer, type RubyServerOptions } from './ruby-server.js';

export interface RubyRunOptions {
  readonly redisUrl: string;
  /** JSON values; the snippet finds them in `args`. */
  readonly args?: readonly unknown[];
  /** A snippet that takes longer is killed and fails. Default 20000. */
  readonly withinMs?: number;
  /** On top of ours: a wrong clock (faketime.ts). */
  readonly env?: Readonly<Record<string, string>>;
}

/** The snippet's value leaves by a file: what it prints, or a gem prints, can not get in between. */
const runner = `
require 'json'
require 'sidekiq'
require 'sidekiq/api'
Sidekiq.logger.level = Logger::WARN
args = JSON.parse(File.read(ARGV.fetch(1)))
value = eval(File.read(ARGV.fetch(0)), binding, ARGV.fetch(0))
File.write(ARGV.fetch(2), JSON.generate(value))
`;

export class RubySidekiq {
  /** Where its files are, until `close`. */
  readonly folder = mkdtempSync(join(tmpdir(), 'tsq-ruby-'));
  private readonly servers: RubyServer[] = [];
  private made = 0;

  /** @param version of the sidekiq gem, such as `6.4.1` */
  constructor(readonly version: string) {}

  /**
   * Runs a snippet with `sidekiq` and `sidekiq/api` loaded, against this Redis.
   * @returns the value of its last expression, by way of JSON; integers beyond 2^53 are rounded: see `runText`
   * @throws Error with Ruby's message and backtrace
   */
  async run(script: string, options: RubyRunOptions): Promise<unknown> {
    return JSON.parse(await this.runText(script, options));
  }

  /** As `run`, but the JSON text itself, digit for digit as Ruby wrote it. */
  async runText(script: string, options: RubyRunOptions): Promise<string> {
    const scriptFile = this.write('script.rb', script);
    const argsFile = this.write('args.json', JSON.stringify(options.args ?? []));
    const valueFile = this.write('value.json', '');
    const process = new RubyProcess(['-e', runner, scriptFile, argsFile, valueFile], {
      cwd: this.folder,
      redisUrl: options.redisUrl,
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    await process.succeeded(options.withinMs ?? 20_000);
    return readFileSync(valueFile, 'utf8');
  }

  /** Starts a `sidekiq` process; resolves once Redis lists it among the processes. Stop it, or let `close` do it. */
  async server(options: RubyServerOptions): Promise<RubyServer> {
    const server = new RubyServer(options, {
      cwd: this.folder,
      write: (name, text) => this.write(name, text),
    });
    this.servers.push(server);
    await server.started();
    return server;
  }

  /** Stops every server that still runs, and removes the files. */
  async close(): Promise<void> {
    try {
      await Promise.all(this.servers.map((server) => server.stop()));
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** A new file each time: its number keeps backtraces of two snippets apart. */
  private write(name: string, text: string): string {
    this.made += 1;
    const file = join(this.folder, `${this.made}-${name}`);
    writeFileSync(file, text);
    return file;
  }
}
