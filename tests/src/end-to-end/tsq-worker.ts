/** A real `tsq-worker` process for a test: started on a test's Redis, stopped by its own pid, its log at hand. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach } from '@jest/globals';
import { eventually } from '@tsq/core/test-support';
import { Journal, journalVariable } from './journal.js';

const bin = createRequire(import.meta.url).resolve('tsq-worker/bin');
const workers = fileURLToPath(new URL('./workers.js', import.meta.url));

/** Beats and looks come quickly, so that a test is short. */
const quick = ['--heartbeat-interval', '0.5', '--heartbeat-ttl', '2', '--recovery-interval', '0.5'];
const eager = ['--recovery-start-delay', '0.2', '--poll-average', '0.2', '--beat-interval', '0.3'];

export class TsqWorker {
  constructor(
    private readonly child: ChildProcess,
    private readonly logFile: string,
  ) {}

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Its exit code or the signal that ended it; undefined while it runs. */
  get ending(): number | NodeJS.Signals | undefined {
    return this.child.exitCode ?? this.child.signalCode ?? undefined;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async end(name: NodeJS.Signals): Promise<number | NodeJS.Signals | undefined> {
    if (this.ending === undefined) {
      const gone = once(this.child, 'exit');
      this.signal(name);
      await gone;
    }
    return this.ending;
  }
}

export interface TsqWorkers {
  readonly journal: Journal;
  /** Resolves once it has told Sidekiq's pages that it is there, and fetches. */
  start(redisUrl: string, ...flags: string[]): Promise<TsqWorker>;
  /** The same with a fault, as `TSQ_FAULT` names one, that it comes to later. */
  startFaulty(fault: string, redisUrl: string, ...flags: string[]): Promise<TsqWorker>;
}

/** For a test file: what a test started and did not stop is killed after it. */
export function useTsqWorkers(): TsqWorkers {
  const workers = startTsqWorkers();
  afterEach(() => workers.killAll());
  afterAll(() => workers.end());
  return workers;
}

/** For a file whose tests share their processes. */
export function startTsqWorkers(): TsqWorkers & { killAll(): Promise<void>; end(): Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'tsq-end-to-end-'));
  const journal = new Journal(join(folder, 'journal'));
  const started: TsqWorker[] = [];
  let logs = 0;
  const killAll = async () => {
    await Promise.all(started.splice(0).map((worker) => worker.end('SIGKILL')));
  };
  const end = async () => {
    await killAll();
    rmSync(folder, { recursive: true, force: true });
  };
  const startFaulty = async (fault: string, redisUrl: string, ...flags: string[]): Promise<TsqWorker> => {
    logs += 1;
    const logFile = join(folder, `worker-${logs}.log`);
    const output = openSync(logFile, 'a');
    const condition = fault === '' ? [] : ['--conditions=tsq-faults'];
    const args = [...condition, bin, '-r', workers, '-e', 'production', ...quick, ...eager, ...flags];
    const env = { ...process.env, REDIS_URL: redisUrl, [journalVariable]: journal.path, TSQ_FAULT: fault };
    const worker = new TsqWorker(
      spawn(process.execPath, args, { env, stdio: ['ignore', output, output] }),
      logFile,
    );
    started.push(worker);
    await eventually(() => {
      if (worker.ending !== undefined)
        throw new Error(`tsq-worker ended with ${worker.ending}:\n${worker.log}`);
      if (!worker.log.includes(readyMessage)) throw new Error(`tsq-worker is not ready:\n${worker.log}`);
    }, 60_000);
    return worker;
  };
  const start = (redisUrl: string, ...flags: string[]) => startFaulty('', redisUrl, ...flags);
  return { journal, start, startFaulty, killAll, end };
}

/** The line that says that it fetches. */
const readyMessage = 'ready';
