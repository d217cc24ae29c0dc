/**
 * One worker process from its Config to its exit code: load the workers, start, work until somebody asks it to stop, stop.
 *
 * What must stay true: from the first line on a signal is heard, and whichever way the process ends, what it holds is
 * settled, back on its queue, or in claims that recovery finds. It never ends without a line that says why.
 */
import { TsqError } from '@tsq/core';
import { showBanner } from './banner.js';
import { compose } from './compose.js';
import type { Composition, StopReport } from './composition.js';
import type { Config } from './config.js';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.js';
import { loadWorkers } from './load-workers.js';
import { type Log, openLog } from './log.js';
import { RunningReport } from './running-report.js';
import { Signals } from './signals.js';
import { StopRequest } from './stop-request.js';
import { ownVersion } from './version.js';

export interface StartedFrom {
  /** The file that the Config came from. */
  readonly configFile?: string | undefined;
  /** What the log should say about the configuration. */
  readonly warnings?: readonly string[];
}

/** A requeue after a crash may itself hang; then the process ends anyway, and its claims are recovered by others. */
const crashGraceMs = 10_000;

/**
 * Runs until the process is asked to stop. It takes the process' signals and uncaught errors upon itself, so it is for a
 * program that is a worker and nothing else. The caller ends the process with the exit code: what a handler left open
 * (a pool, a timer) must not keep it alive.
 */
export async function runWorker(config: Config, from: StartedFrom = {}): Promise<ExitCode> {
  const log = openLog(config, process.stdout.isTTY === true);
  const run = new WorkerRun(config, from, log);
  try {
    return await run.toItsEnd();
  } finally {
    await log.close();
  }
}

class WorkerRun {
  private readonly stop: StopRequest;
  private readonly signals: Signals;
  private readonly report: RunningReport;
  private composition: Composition | undefined;
  private isQuiet = false;

  constructor(
    private readonly config: Config,
    private readonly from: StartedFrom,
    private readonly log: Log,
  ) {
    const { logger } = log;
    this.stop = new StopRequest(config.timeoutSeconds, logger);
    this.report = new RunningReport(logger);
    const actions = {
      stop: (why: string) => this.stop.stop(why),
      quiet: () => void this.quiet(),
      dump: () => this.report.write(this.composition?.running() ?? []),
    };
    this.signals = new Signals(actions, logger);
  }

  async toItsEnd(): Promise<ExitCode> {
    const onUncaught = (error: unknown, origin: string) => this.crash(error, origin);
    process.on('uncaughtException', onUncaught);
    this.signals.listen();
    const failure = await this.untilStopped().catch((error: unknown) => this.failed(error));
    const report = await this.composition?.stop(this.stop.deadline);
    this.stop.close();
    this.signals.close();
    process.off('uncaughtException', onUncaught);
    const exitCode = failure ?? this.exitCodeAfter(report);
    this.log.logger.info({ exitCode, droppedLogLines: this.log.dropped }, 'stopped');
    return exitCode;
  }

  private exitCodeAfter(report: StopReport | undefined): ExitCode {
    if (report !== 'unconfirmed') return this.stop.exitCode;
    const message =
      'Redis did not confirm how all jobs ended; what this process has claimed is put back by another one';
    this.log.logger.error({}, message);
    return this.stop.exitCode === exitCodes.stopped ? exitCodes.unconfirmed : this.stop.exitCode;
  }

  /** Rejects when the start does. What it says after a stop was asked for (that it was ended) is of no interest. */
  private async untilStopped(): Promise<undefined> {
    const { requested } = this.stop;
    await new Promise<void>((resolve, reject) => {
      requested.addEventListener('abort', () => resolve(), { once: true });
      this.start().catch(reject);
    });
  }

  private async start(): Promise<void> {
    const { config, from, log } = this;
    for (const warning of from.warnings ?? []) log.logger.warn({}, warning);
    const { workers, server } = await loadWorkers(config.require, process.cwd(), log.logger);
    if (this.stop.requested.aborted) return;
    const onSignal = (name: string) => this.signals.handle(name);
    const { logger, forThreads: threadLog } = log;
    this.composition = compose({ config, workers, server, logger, threadLog, onSignal });
    const { identity } = this.composition;
    const facts = {
      version: ownVersion(),
      identity,
      configFile: from.configFile,
      workers: [...workers.keys()],
      tracking: server.tracking,
    };
    showBanner(log, config, facts);
    if (this.isQuiet) await this.composition.quiet();
    await this.composition.start();
    log.logger.info({ identity }, 'ready: takes jobs');
  }

  private async quiet(): Promise<void> {
    this.isQuiet = true;
    this.log.logger.info({}, 'quiet: takes no new jobs; what runs goes on');
    await this.composition?.quiet();
  }

  private failed(error: unknown): ExitCode {
    this.log.logger.fatal(fieldsOf(error), messageOf(error));
    this.stop.crash();
    return exitCodeOf(error);
  }

  private crash(error: unknown, origin: string): void {
    this.log.logger.fatal(
      { err: error, origin },
      'an error that nothing caught: requeueing what runs, and ending',
    );
    this.stop.crash();
    setTimeout(() => process.exit(this.stop.exitCode), crashGraceMs).unref();
  }
}

/** A TsqError says all that matters in its message: what is worth a stack is its cause, or what was not foreseen. */
function fieldsOf(error: unknown): object {
  if (!(error instanceof TsqError)) return { err: error };
  return error.cause === undefined ? { code: error.code } : { code: error.code, err: error.cause };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
