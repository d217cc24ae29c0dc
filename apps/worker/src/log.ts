/**
 * The command's log: pino on stdout, JSON or pretty. Whatever becomes of stdout, the process lives; what can't be written
 * is dropped and counted (surviving-output.ts).
 */
import type { ThreadLogSource } from '@tsq/recovery';
import { type Logger as PinoLogger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.js';
import { formatOf, type LogFormat, logOptions, prettyOptions } from './log-format.js';
import { SurvivingOutput } from './surviving-output.js';
import { threadLogSource } from './thread-log.js';

export interface Log {
  readonly logger: PinoLogger;
  readonly format: LogFormat;
  /** The same log, for a thread that can't wait for this one. */
  readonly forThreads: ThreadLogSource;
  /** Lines that could not be written so far. */
  readonly dropped: number;
  /** Text for people, as it is. */
  print(text: string): void;
  /** Resolves when all is written, as far as stdout takes it. */
  close(): Promise<void>;
}

/** For a reader that is slow when the process ends. */
const lastLinesMs = 2_000;

/** For the life of the process: it also takes the errors of stdout and stderr upon itself. */
export function openLog(config: Pick<Config, 'environment' | 'log'>, terminal: boolean): Log {
  const format = formatOf(config, terminal);
  const stdout = openStdout(() =>
    logger.warn(
      { droppedLogLines: stdout.dropped },
      'stdout can be written again; lines are missing before this one',
    ),
  );
  const logger: PinoLogger = pino(
    logOptions(config.log.level),
    format === 'pretty' ? prettyOn(stdout, terminal) : stdout,
  );
  return {
    logger,
    format,
    forThreads: threadLogSource({ fd: 1, level: config.log.level, format, colorize: terminal }),
    get dropped() {
      return stdout.dropped;
    },
    print: (text) => stdout.write(text),
    close: async () => {
      await stdout.drained(lastLinesMs);
      if (stdout.dropped > 0) complain(`${stdout.dropped} log lines could not be written`);
    },
  };
}

function openStdout(onTroubleOver: () => void): SurvivingOutput {
  const stdout = new SurvivingOutput({
    fd: 1,
    onGone: () => complain('nobody reads stdout any more; log lines are dropped, jobs go on'),
    onTroubleOver,
    onTrouble: (message) =>
      complain(`stdout can't be written (${message}); log lines are dropped until it can, jobs go on`),
  });
  // Jobs' own code may write there too; without a listener EPIPE would end the process.
  process.stdout.on('error', ignored);
  process.stderr.on('error', ignored);
  process.on('exit', () => stdout.writeRest());
  return stdout;
}

/** Of the log itself: where the log can't go, stderr may. */
function complain(text: string): void {
  process.stderr.write(`tsq-worker: ${text}\n`);
}

function ignored(): void {
  // What the log itself could not write is counted; what a job's console.log could not is the job's own.
}

function prettyOn(stdout: SurvivingOutput, terminal: boolean): { write(line: string): void } {
  const format = pretty.prettyFactory(prettyOptions(terminal));
  return { write: (line) => stdout.write(format(line)) };
}
