/** Starts a real `tsq-worker`: armed for fault points, observed, quick to beat and to recover, so that a row is short. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { TcpProxy } from '@tsq/core/test-support/outside-jest';
import { historyVariable } from '../history/history-writer.js';
import { mutantVariable } from '../mutants/mutant-text.js';

const bin = createRequire(import.meta.url).resolve('tsq-worker/bin');
const workers = fileURLToPath(new URL('../workers.js', import.meta.url));
const mutate = new URL('../mutants/mutate.js', import.meta.url).href;
const observer = new URL('../observer/observe.js', import.meta.url).href;

/** A heartbeat's TTL of 3 s, a beat each second, a recovery lock of 6 s. */
const quick = [
  ...['-e', 'production', '-t', '3', '--heartbeat-interval', '1', '--heartbeat-ttl', '3'],
  ...['--recovery-interval', '1', '--recovery-lock-ttl', '6', '--recovery-start-delay', '0.2'],
  ...['--recovery-watch-interval', '0.5', '--poll-average', '0.3', '--beat-interval', '1'],
];

export interface WorkerOptions {
  /** Flags of tsq-worker; they win over the stage's, which are quick. */
  readonly flags?: readonly string[];
  /** Jobs at once. Default 5. */
  readonly concurrency?: number;
  /** `TSQ_FAULT`: where it shall hurt itself, `settle.before:kill@3`. */
  readonly fault?: string;
  /** Speaks to Redis through this. */
  readonly via?: TcpProxy;
  /** Of the Redis that it works on, when it is not the stage's. */
  readonly url?: string;
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A command in front of it, which must become it (exec): `['faketime', '-f', '+1h']`, `['sh', '-c', 'exec "$@" > /dev/full', 'sh']`. */
  readonly wrap?: readonly string[];
  /** Worker files beside those of the suite. */
  readonly require?: readonly string[];
  /** `ready`: it takes jobs. `spawned`: at once. Default `ready`. */
  readonly until?: 'ready' | 'spawned';
}

export function spawnWorker(
  options: WorkerOptions,
  url: string,
  folder: string,
  logFile: string,
): ChildProcess {
  const { flags = [], concurrency = 5, nodeArgs = [], wrap = [], require = [] } = options;
  const isMutant = process.env[mutantVariable] !== undefined;
  const imports = [...(isMutant ? ['--import', mutate] : []), '--import', observer];
  // The observer comes last: what is loaded before it may change the scripts that it knows.
  const node = ['--conditions=tsq-faults', ...nodeArgs, ...imports];
  const files = [workers, ...require].flatMap((file) => ['-r', file]);
  const worker = [bin, ...files, '-c', String(concurrency), ...quick, ...flags];
  const [program = process.execPath, ...args] = [...wrap, process.execPath, ...node, ...worker];
  const env = {
    ...{ ...process.env, REDIS_URL: url, [historyVariable]: folder, NODE_ENV: 'production' },
    ...(options.fault === undefined ? {} : { TSQ_FAULT: options.fault }),
    ...options.env,
  };
  const output = openSync(logFile, 'a');
  const child = spawn(program, args, { env, cwd: folder, stdio: ['ignore', output, output] });
  closeSync(output);
  return child;
}
