/** Who is compared: how each starts a process and enqueues, so that all else is the same for all. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@tsq/core';
import {
  eventually,
  probeRuby,
  type RubyServer,
  RubySidekiq,
  trackerGem,
} from '@tsq/core/test-support/outside-jest';
import { Queue } from 'bullmq';
import { journalVariable, rubyJob } from './peer-journal.js';

/** Number, duration in milliseconds, `sleep` or `block`. */
export type PeerJob = readonly [number, number, 'sleep' | 'block'];

export interface PeerProcess {
  readonly pid: number;
  signal(name: 'SIGKILL' | 'SIGTERM'): void;
  gone(): Promise<void>;
}

/** One Redis, one journal, one folder: of one run of one contender. */
export interface Arena {
  readonly url: string;
  readonly journal: string;
  readonly folder: string;
}

export interface Contender {
  readonly name: string;
  /** One that runs JavaScript on an event loop can be blocked by a job. */
  readonly hasEventLoop: boolean;
  /** For so long what has not come back is waited for, after a kill. */
  readonly watchSeconds: number;
  start(arena: Arena, timeoutSeconds: number): Promise<PeerProcess>;
  enqueue(arena: Arena, jobs: readonly PeerJob[]): Promise<void>;
  close(): Promise<void>;
}

const concurrency = 10;
const startsWithinMs = 120_000;

const bin = createRequire(import.meta.url).resolve('tsq-worker/bin');
const tsqWorkers = fileURLToPath(new URL('./tsq-workers.js', import.meta.url));
const bullWorker = fileURLToPath(new URL('./bullmq-worker.js', import.meta.url));

const nothing = async () => undefined;

async function pushAsSidekiqDoes({ url }: Arena, jobs: readonly PeerJob[]): Promise<void> {
  const client = new Client({ url });
  await client.enqueueBulk('Peers::Job', jobs);
  await client.close();
}

/** With its defaults: a beat each 30 s, a TTL of 90 s. */
export const tsq: Contender = {
  name: 'tsq',
  hasEventLoop: true,
  watchSeconds: 180,
  async start(arena, timeoutSeconds) {
    const flags = [
      '-r',
      tsqWorkers,
      '-c',
      String(concurrency),
      '-t',
      String(timeoutSeconds),
      '-e',
      'production',
    ];
    return await node([bin, ...flags], arena, '"ready: takes jobs"');
  },
  enqueue: pushAsSidekiqDoes,
  close: nothing,
};

export const bullmq: Contender = {
  name: 'BullMQ',
  hasEventLoop: true,
  watchSeconds: 180,
  async start(arena, timeoutSeconds) {
    return await node([bullWorker, arena.url, String(concurrency), String(timeoutSeconds)], arena, 'ready');
  },
  async enqueue({ url }, jobs) {
    const { hostname: host, port } = new URL(url);
    const queue = new Queue('peers', { connection: { host, port: Number(port) } });
    await queue.addBulk(jobs.map((data) => ({ name: 'job', data })));
    await queue.close();
  },
  close: nothing,
};

/** @param gem put before the workers: the tracker gem with its defaults */
function sidekiq(name: string, watchSeconds: number, gem: string): Contender {
  const probe = probeRuby();
  if ('missing' in probe) throw new Error(`${name}: ${probe.missing}`);
  const ruby = new RubySidekiq(probe.version);
  return {
    name: name.replace('Sidekiq', `Sidekiq ${probe.version}`),
    hasEventLoop: false,
    watchSeconds,
    async start({ url, journal }, timeoutSeconds) {
      const environment = `ENV['${journalVariable}'] = '${journal}'\n`;
      const source = `${environment}${gem}${rubyJob}`;
      const server = await ruby.server({ redisUrl: url, concurrency, timeoutSeconds, source });
      return ofRuby(server);
    },
    enqueue: pushAsSidekiqDoes,
    close: () => ruby.close(),
  };
}

export const plainSidekiq = () => sidekiq('Sidekiq', 120, '');

/** The gem's own second pass is 300 s after its first. */
export const sidekiqWithGem = () => {
  const isReal = process.env.TSQ_TEST_GEM_PATH !== undefined;
  const settings = { namespace: 'sidekiq_assured_jobs', intervalSeconds: 15, ttlSeconds: 45 };
  return sidekiq(`Sidekiq with ${isReal ? 'the gem' : "the gem's stand-in"}`, 330, trackerGem(settings));
};

async function node(args: readonly string[], arena: Arena, ready: string): Promise<PeerProcess> {
  const logFile = join(arena.folder, `${process.hrtime.bigint()}.log`);
  const output = openSync(logFile, 'a');
  const env = {
    ...process.env,
    REDIS_URL: arena.url,
    NODE_ENV: 'production',
    [journalVariable]: arena.journal,
  };
  const child = spawn(process.execPath, args, { env, cwd: arena.folder, stdio: ['ignore', output, output] });
  closeSync(output);
  await eventually(() => {
    const log = readFileSync(logFile, 'utf8');
    if (!log.includes(ready))
      throw new Error(`${args[0]} is not ready (${child.exitCode ?? 'runs'}):\n${log}`);
  }, startsWithinMs);
  return ofChild(child);
}

function ofChild(child: ChildProcess): PeerProcess {
  const gone = child.exitCode === null ? once(child, 'exit') : Promise.resolve();
  return {
    pid: child.pid ?? 0,
    signal: (name) => child.kill(name),
    gone: async () => void (await gone),
  };
}

function ofRuby(server: RubyServer): PeerProcess {
  return { pid: server.pid ?? 0, signal: (name) => server.signal(name), gone: () => server.gone() };
}
