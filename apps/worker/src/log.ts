/**
 * The command's log: pino on stdout, JSON or pretty. Whatever becomes of stdout, the process lives: a log collector that
 * went away must not turn all running jobs into orphans. What can't be written is dropped and counted.
 */
import { type Logger as PinoLogger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.js';

export interface Log {
  readonly logger: PinoLogger;
  readonly format: 'json' | 'pretty';
  /** Lines that could not be written so far. */
  readonly dropped: number;
  /** Text for people, as it is. */
  print(text: string): void;
  /** Writes what waits, as far as stdout takes it. */
  flush(): void;
}

// A reader that stalls must not make the memory grow without end: beyond this, lines are dropped.
const longestBacklogBytes = 16 * 1024 * 1024;

/** For the life of the process: it also takes the errors of stdout and stderr upon itself. */
export function openLog(config: Pick<Config, 'environment' | 'log'>, terminal: boolean): Log {
  const format = formatOf(config, terminal);
  const stdout = new SurvivingOutput();
  const options = {
    level: config.log.level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(options, format === 'pretty' ? prettyOn(stdout, terminal) : stdout);
  return {
    logger,
    format,
    get dropped() {
      return stdout.dropped;
    },
    print: (text) => stdout.write(text),
    flush: () => stdout.flush(),
  };
}

function formatOf(
  { environment, log }: Pick<Config, 'environment' | 'log'>,
  terminal: boolean,
): 'json' | 'pretty' {
  if (log.format !== 'auto') return log.format;
  return terminal && environment !== 'production' ? 'pretty' : 'json';
}

function prettyOn(stdout: SurvivingOutput, terminal: boolean): { write(line: string): void } {
  const format = pretty.prettyFactory({
    colorize: terminal,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid',
    singleLine: true,
  });
  return { write: (line) => stdout.write(format(line)) };
}

/** Stdout that outlives its reader. Written off the main thread, so that a slow reader does not hold up jobs either. */
class SurvivingOutput {
  dropped = 0;
  private readonly sink = pino.destination({ dest: 1, sync: false, maxLength: longestBacklogBytes });
  private broken = false;

  constructor() {
    this.sink.on('error', (error: Error) => this.failed(error));
    this.sink.on('drop', () => this.drop());
    // Handlers of jobs may write there themselves; without a listener EPIPE would end the process.
    process.stdout.on('error', (error: Error) => this.failed(error));
    process.stderr.on('error', () => this.drop());
  }

  write(line: string): void {
    if (this.broken) this.drop();
    else this.sink.write(line);
  }

  flush(): void {
    if (this.broken) return;
    try {
      this.sink.flushSync();
    } catch (error) {
      this.failed(error);
    }
  }

  private failed(error: unknown): void {
    this.drop();
    const gone = error instanceof Error && 'code' in error && error.code === 'EPIPE';
    if (!gone || this.broken) return;
    this.broken = true;
    process.stderr.write(
      'tsq-worker: nobody reads stdout any more (EPIPE); log lines are dropped, jobs go on\n',
    );
  }

  private drop(): void {
    this.dropped += 1;
  }
}
