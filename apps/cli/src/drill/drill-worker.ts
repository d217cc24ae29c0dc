/** One `tsq-worker` of the drill: a real process, with a log in a file, that dies with the drill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pause, type RedisLocation } from '@tsq/core';
import { type Environment, journalVariable, withoutSettings } from '../environment.js';
import type { DrillName, DrillSettings } from './drill-settings.js';

const bin = createRequire(import.meta.url).resolve('tsq-worker/bin');
const workerFile = fileURLToPath(new URL('./drill-job.js', import.meta.url));

export interface DrillPlace {
  readonly name: DrillName;
  readonly settings: DrillSettings;
  /** Of the drill alone: the journal, the logs, and no tsq.yml. */
  readonly folder: string;
  readonly environment: Environment;
}

export function journalOf(folder: string): string {
  return join(folder, 'journal');
}

export class DrillWorker {
  private constructor(
    private readonly child: ChildProcess,
    private readonly logFile: string,
    /** With what its instance's id begins. */
    readonly idPrefix: string,
  ) {}

  static start(place: DrillPlace, number: 1 | 2): DrillWorker {
    const { name, settings, folder, environment } = place;
    const logFile = join(folder, `worker-${number}.log`);
    const log = openSync(logFile, 'a');
    const hostName = `${name}-${number}`;
    const env = {
      ...withoutSettings(environment),
      ...placeOf(settings.location),
      TSQ_HOST_NAME: hostName,
      [journalVariable]: journalOf(folder),
    };
    // A group of its own: Ctrl-C is for the drill, which ends its workers itself.
    const child = spawn(process.execPath, [bin, '-r', workerFile, ...flagsOf(name, settings)], {
      ...{ cwd: folder, env, detached: true },
      stdio: ['pipe', log, log],
    });
    closeSync(log);
    child.on('error', () => undefined); // it shows as one that has ended, without a log
    child.stdin?.on('error', () => undefined); // nothing is written; it only closes with the drill
    return new DrillWorker(child, logFile, `${hostName}-${child.pid}-`);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  /** Resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.hasEnded) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  /** Asks it to stop; kills it when it does not. */
  async stop(withinMs: number): Promise<void> {
    if (this.hasEnded) return;
    const stopped = new AbortController();
    this.child.once('exit', () => stopped.abort());
    this.child.kill('SIGTERM');
    await pause(withinMs, stopped.signal);
    await this.kill();
  }
}

/** In variables: a command line is for all to read, and a password may be in it. */
function placeOf({ url, sentinel }: RedisLocation): Environment {
  return {
    TSQ_REDIS_URL: url,
    TSQ_SENTINEL_NODES: sentinel?.nodes.join(' '),
    TSQ_SENTINEL_MASTER: sentinel?.master,
    TSQ_SENTINEL_USERNAME: sentinel?.username,
    TSQ_SENTINEL_PASSWORD: sentinel?.password,
  };
}

/** It shows itself nowhere, moves nothing that is due, and works on the drill's queue alone. */
function flagsOf(name: DrillName, settings: DrillSettings): readonly string[] {
  const { concurrency, heartbeatIntervalSeconds, heartbeatTtlSeconds, recoveryIntervalSeconds } = settings;
  return [
    ...['-q', name, '--namespace', name, '-c', String(concurrency), '-t', '0', '-e', 'production'],
    ...['--hidden', '--poll-average', '86400', '--tag', 'drill', '--log-format', 'json', '--fail-fast'],
    ...['--profile', settings.profile],
    ...['--heartbeat-interval', String(heartbeatIntervalSeconds)],
    ...['--heartbeat-ttl', String(heartbeatTtlSeconds)],
    ...['--recovery-interval', String(recoveryIntervalSeconds)],
    ...(settings.fastDetection ? [] : ['--recovery-watch-interval', '0']),
  ];
}
