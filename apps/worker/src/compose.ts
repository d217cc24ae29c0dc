/**
 * Puts the packages together into one worker process. This is the one place that knows them all, and the order in which
 * they start: Redis is there and fit, this instance is registered and has beaten once, only then are jobs taken. They stop
 * in reverse: no job is taken any more, what runs has ended or is back, its outcomes are written, and the last beat goes
 * last.
 */
import {
  type Component,
  type Logger,
  openConnection,
  type RedisLocation,
  type ServerMiddleware,
} from '@tsq/core';
import { Heartbeat, Recoverer } from '@tsq/recovery';
import { Instance, Keyspace, TrackingFetcher, trackingMiddleware } from '@tsq/tracker';
import {
  type AnyWorker,
  callPoisonHandlers,
  JobStats,
  Launcher,
  Manager,
  newProcessIdentity,
  Poller,
  type ProcessInfo,
  Processor,
  type ProcessorSettings,
  ProcessRegistry,
  QueueOrder,
  type RunningJob,
  RunningJobs,
  type ServerSetup,
  WorkerRegistry,
} from '@tsq/worker';
import type { Composition } from './composition.js';
import type { Config } from './config.js';
import { RedisGate } from './redis-gate.js';
import { withoutPassword } from './redis-url.js';
import type { ReportedJob } from './running-report.js';
import { ownVersion } from './version.js';

export interface ComposeParts {
  readonly config: Config;
  readonly workers: readonly AnyWorker[];
  /** What the worker files have added: middleware, handlers. */
  readonly server: ServerSetup;
  readonly logger: Logger;
  /** Called with what somebody asked this process, from afar, to do. */
  readonly onSignal: (name: string) => void;
}

/** @throws TSQ_WORKER_DUPLICATE, TSQ_CONFIG_INVALID */
export function compose(parts: ComposeParts): Composition {
  const { config, logger } = parts;
  const identity = newProcessIdentity(config.hostName, process.pid);
  const instance = new Instance(`${config.hostName}-${process.pid}`);
  const running = new RunningJobs();
  const launcher = new Launcher(componentsOf(parts, identity, instance, running), logger);
  return {
    identity,
    start: () => launcher.start(),
    quiet: () => launcher.quiet(),
    stop: (deadline) => launcher.stop(deadline),
    running: () => running.list().map(reported),
  };
}

/** In the order in which they start. */
function componentsOf(
  parts: ComposeParts,
  identity: string,
  instance: Instance,
  running: RunningJobs,
): readonly Component[] {
  const { config, logger, onSignal } = parts;
  const location: RedisLocation = { url: config.redisUrl };
  const keyspace = new Keyspace(config.namespace);
  const redis = openConnection(location, { name: `tsq:${instance.id}:service`, logger });
  const order = new QueueOrder(config.queues);
  const stats = new JobStats();
  const info = infoOf(config, identity, order);
  const beatIntervalMs = ms(config.beatIntervalSeconds);

  const heartbeat = new Heartbeat({ location, instance, keyspace, logger, ...beatSettings(config) });
  // A Redis that lost its keys knows this instance no more: a beat tells it a new id.
  const onUnregistered = () => heartbeat.beatNow();
  const claims = { location, instance, keyspace, dead: config.dead, logger, onUnregistered };
  const fetcher = new TrackingFetcher(claims);
  heartbeat.onBeat(() => void reconcile(fetcher, logger));
  const recoverer = new Recoverer({ location, instance, keyspace, logger, ...recoverySettings(config) });
  recoverer.onPoison((poison) => void callPoisonHandlers(parts.server.onPoison, poison, logger));
  const processor = processorOf(parts, running, stats);
  return [
    new RedisGate({ redis, logger, ...gateSettings(config) }),
    heartbeat,
    fetcher,
    new ProcessRegistry({ redis, running, stats, onSignal, logger, beatIntervalMs, info }),
    recoverer,
    new Poller({ redis, logger, dialect: config.dialect, dead: config.dead, ...pollSettings(config) }),
    new Manager({ fetcher, processor, order, running, logger }, managerSettings(config)),
  ];
}

function processorOf(parts: ComposeParts, running: RunningJobs, stats: JobStats): Processor {
  const { config, workers, server, logger } = parts;
  const registry = new WorkerRegistry(workers);
  // The tracking is innermost: until `perform` begins, no job may be lost.
  const tracking: ServerMiddleware = trackingMiddleware({ all: config.tracked === 'all' });
  // By a name that no worker file gives to its own: of two with one name, the chain keeps the later.
  const middleware = server.middleware.add('tsq:tracking', tracking);
  const { errorHandlers, deathHandlers } = server;
  const settings = { ...jobSettings(config), errorHandlers, deathHandlers };
  return new Processor({ registry, middleware, running, stats, logger }, settings);
}

function reported({ jid, class: name, unit, startedAtMs }: RunningJob): ReportedJob {
  return { jid, class: name, queue: unit.queue, startedAtMs };
}

/** At each beat Redis' books are compared with ours: a claim whose reply was lost must not wait for a restart. */
async function reconcile(fetcher: TrackingFetcher, logger: Logger): Promise<void> {
  try {
    await fetcher.reconcile();
  } catch (error) {
    logger.warn({ err: error }, 'the claims could not be compared with Redis; the next beat tries again');
  }
}

function infoOf(config: Config, identity: string, order: QueueOrder): ProcessInfo {
  const { hostName, tag, labels, concurrency } = config;
  return {
    ...{ identity, hostname: hostName, pid: process.pid, startedAtMs: Date.now() },
    ...{ tag, labels, version: ownVersion() },
    capsules: [{ name: 'default', concurrency, order }],
  };
}

function jobSettings({ maxRetries, dialect, log }: Config): ProcessorSettings {
  return { retry: { maxRetries, dialect }, jobLog: log.jobs ? 'all' : 'failures' };
}

function gateSettings({ redisUrl, failFast }: Config) {
  return { shownUrl: withoutPassword(redisUrl), patience: failFast ? 'short' : 'endless' } as const;
}

function managerSettings({ concurrency, claimAheadMs }: Config) {
  return { concurrency, claimAheadMs };
}

function beatSettings({ heartbeat }: Config) {
  return { intervalMs: ms(heartbeat.intervalSeconds), ttlMs: ms(heartbeat.ttlSeconds) };
}

function recoverySettings({ recovery, heartbeat, dead, dialect }: Config) {
  return {
    dead,
    dialect,
    heartbeatTtlMs: ms(heartbeat.ttlSeconds),
    intervalMs: ms(recovery.intervalSeconds),
    lockTtlMs: ms(recovery.lockTtlSeconds),
    startDelayMs: ms(recovery.startDelaySeconds),
    watchIntervalMs: ms(recovery.watchIntervalSeconds),
    position: recovery.position,
  };
}

function pollSettings({ poll }: Config) {
  return {
    averageScheduledPollIntervalMs: ms(poll.intervalSeconds),
    ...(poll.averageSeconds === undefined
      ? undefined
      : { pollIntervalAverageMs: ms(poll.averageSeconds), initialWaitMs: ms(poll.averageSeconds) }),
  };
}

function ms(seconds: number): number {
  return Math.round(seconds * 1_000);
}
