/**
 * Puts the packages together into one worker process. This is the one place that knows them all, and the order in which
 * they start: Redis is there and fit, this instance is registered and has beaten once, only then are jobs taken. They stop
 * in reverse: no job is taken any more, what runs has ended or is back, its outcomes are written, and the last beat goes
 * last.
 */
import {
  type Component,
  type ConnectionReporter,
  type Logger,
  type MetricsFormName,
  Outages,
  openConnection,
  type RedisLocation,
  shownLocation,
  Trouble,
} from '@tsq/core';
import { Heartbeat, Recoverer, type ThreadLogSource } from '@tsq/recovery';
import { Instance, Keyspace, type LostClaim, TrackingFetcher, trackingMiddleware } from '@tsq/tracker';
import {
  type AnyWorker,
  Cancellations,
  callPoisonHandlers,
  IterationRunner,
  JobMetrics,
  JobStats,
  Launcher,
  Manager,
  newProcessIdentity,
  Poller,
  type ProcessInfo,
  Processor,
  type ProcessorParts,
  type ProcessorSettings,
  ProcessRegistry,
  RedisClock,
  type RunningJob,
  RunningJobs,
  type ServerSetup,
  Together,
  WorkerRegistry,
} from '@tsq/worker';
import { type Capsule, capsulesOf } from './capsules.js';
import type { Composition } from './composition.js';
import type { Config } from './config.js';
import { locationOf } from './location.js';
import { tellOfHeartbeat, tellOfRecovery } from './operators-news.js';
import { RedisGate } from './redis-gate.js';
import type { ReportedJob } from './running-report.js';
import { trackingPolicyOf } from './tracked.js';
import { ownVersion } from './version.js';

export interface ComposeParts {
  readonly config: Config;
  /** Each with its file, for messages. */
  readonly workers: ReadonlyMap<AnyWorker, string>;
  /** What the worker files have added: middleware, handlers. */
  readonly server: ServerSetup;
  readonly logger: Logger;
  /** The same log, for the heartbeat's thread. */
  readonly threadLog: ThreadLogSource;
  /** Called with what somebody asked this process, from afar, to do. */
  readonly onSignal: (name: string) => void;
}

/** @throws TSQ_WORKER_DUPLICATE, TSQ_CONFIG_INVALID */
export function compose(parts: ComposeParts): Composition {
  const { config, logger, threadLog } = parts;
  const identity = newProcessIdentity(config.hostName, process.pid);
  const location = locationOf(config);
  const instance = new Instance(`${config.hostName}-${process.pid}`);
  const keyspace = new Keyspace(config.namespace);
  const report = new Outages(logger).hear;
  const common = { location, instance, keyspace, logger, report };
  const heartbeat = new Heartbeat({ ...common, threadLog, ...beatSettings(config) });
  // A Redis that lost its keys knows this instance no more: a beat tells it a new id.
  const onUnregistered = () => heartbeat.beatNow();
  const registry = registryOf(parts.workers);
  const { events } = parts.server;
  const onLost = (claim: LostClaim) => events.emit('claim-lost', claim);
  const claims = { ...common, dead: config.dead, onUnregistered, onLost };
  const fetcher = new TrackingFetcher({ ...claims, ...onlyKnown(config, registry) });
  const running = new RunningJobs(heartbeat.recorder);
  const shared = { identity, location, report, instance, keyspace, heartbeat, fetcher, registry, running };
  const launcher = new Launcher(componentsOf(parts, shared), logger);
  return {
    identity,
    start: () => launcher.start(),
    quiet: () => launcher.quiet(),
    stop: async (deadline) => {
      await launcher.stop(deadline);
      return fetcher.isUnconfirmed ? 'unconfirmed' : 'confirmed';
    },
    running: () => running.list().map(reported),
  };
}

/** What several components hold in common. */
interface Shared {
  readonly identity: string;
  readonly location: RedisLocation;
  readonly report: ConnectionReporter;
  readonly instance: Instance;
  readonly keyspace: Keyspace;
  readonly heartbeat: Heartbeat;
  readonly fetcher: TrackingFetcher;
  readonly registry: WorkerRegistry;
  readonly running: RunningJobs;
}

/** In the order in which they start. */
function componentsOf(parts: ComposeParts, shared: Shared): readonly Component[] {
  const { config, logger } = parts;
  const { identity, location, report, instance, keyspace, heartbeat, fetcher, registry, running } = shared;
  const redis = openConnection(location, { name: `tsq:${instance.id}:service`, report });
  const capsules = capsulesOf(config);
  const stats = new JobStats();
  // Nobody would take them away from a process that is not shown.
  const metrics = config.hidden || config.metrics === 'off' ? undefined : new JobMetrics();
  const cancellations = new Cancellations({ redis, running, logger }, { namespace: config.namespace });

  const uncompared = new Trouble(logger, "Can't compare the claims with Redis", 'warn');
  heartbeat.onBeat(() => void reconcile(fetcher, uncompared));
  tellOfHeartbeat(heartbeat, parts.server.events);
  const deadOption = (name: string) => registry.get(name)?.options.dead;
  const recovery = { report, deadOption, ...recoverySettings(config) };
  const recoverer = new Recoverer({ location, instance, keyspace, logger, ...recovery });
  recoverer.onPoison((poison) => void callPoisonHandlers(parts.server.onPoison, poison, logger));
  tellOfRecovery(recoverer, parts.server.events);
  const clock = new RedisClock(redis, logger);
  const iterations = new IterationRunner({ redis, logger, ...iterationSettings(config) });
  const books = { registry, running, stats, metrics };
  const processor = processorOf(parts, { ...books, clock, cancellations, iterations });
  const managerOf = ({ name, concurrency, order }: Capsule) => {
    const own = capsules.length === 1 ? logger : logger.child({ capsule: name });
    const { claimAheadMs } = config;
    return new Manager({ fetcher, processor, order, running, logger: own }, { concurrency, claimAheadMs });
  };
  return [
    new RedisGate({ redis, logger, ...gateSettings(config) }),
    heartbeat,
    fetcher,
    cancellations,
    ...(config.hidden
      ? []
      : [new ProcessRegistry({ redis, running, stats, metrics, ...shownAs(parts, identity) })]),
    recoverer,
    new Poller({ redis, logger, dialect: config.dialect, dead: config.dead, ...pollSettings(config) }),
    new Together('capsules', capsules.map(managerOf)),
  ];
}

function registryOf(workers: ComposeParts['workers']): WorkerRegistry {
  const registry = new WorkerRegistry();
  for (const [worker, file] of workers) registry.add(worker, file);
  return registry;
}

function processorOf(parts: ComposeParts, state: Omit<ProcessorParts, 'middleware' | 'logger'>): Processor {
  const { config, server, logger } = parts;
  // The tracking is innermost: until `perform` begins, no job may be lost.
  const tracking = trackingMiddleware(trackingPolicyOf(config, server));
  // By a name that no worker file gives to its own: of two with one name, the chain keeps the later.
  const middleware = server.middleware.add('tsq:tracking', tracking);
  const { errorHandlers, deathHandlers } = server;
  const settings = { ...jobSettings(config), errorHandlers, deathHandlers };
  return new Processor({ ...state, middleware, logger }, settings);
}

function reported({ jid, class: name, unit, startedAtMs }: RunningJob): ReportedJob {
  return { jid, class: name, queue: unit.queue, startedAtMs };
}

/** At each beat Redis' books are compared with ours: a claim whose reply was lost must not wait for a restart. */
async function reconcile(fetcher: TrackingFetcher, trouble: Trouble): Promise<void> {
  try {
    await fetcher.reconcile();
    trouble.over();
  } catch (error) {
    trouble.met(error);
  }
}

function shownAs({ config, logger, onSignal }: ComposeParts, identity: string) {
  const info = infoOf(config, identity);
  return { info, onSignal, logger, metricsForms: metricsFormsOf(config), ...shownSettings(config) };
}

function infoOf(config: Config, identity: string): ProcessInfo {
  const { hostName, tag, labels } = config;
  return {
    ...{ identity, hostname: hostName, pid: process.pid, startedAtMs: Date.now() },
    ...{ tag, labels, version: ownVersion() },
    capsules: capsulesOf(config),
  };
}

function jobSettings(config: Config): ProcessorSettings {
  const { maxRetries, retryForRule, dialect, bigIntegers, log, foreignFeatures } = config;
  return {
    retry: { maxRetries, retryForRule, dialect },
    jobLog: log.jobs ? 'all' : 'failures',
    bigIntegers,
    foreignFeatures,
  };
}

function onlyKnown({ onlyKnown: isOn, lookPast }: Config, registry: WorkerRegistry) {
  return isOn ? { onlyKnown: { classes: registry.names, lookPast } } : undefined;
}

function gateSettings(config: Config) {
  return {
    shownUrl: shownLocation(locationOf(config)),
    patience: config.failFast ? 'short' : 'endless',
  } as const;
}

function metricsFormsOf({ metrics }: Config): readonly MetricsFormName[] {
  if (metrics === 'off') return [];
  return metrics === 'both' ? ['sidekiq7', 'sidekiq8'] : [metrics];
}

function iterationSettings({ maxIterationRuntimeSeconds }: Config) {
  return { maxIterationRuntime: maxIterationRuntimeSeconds };
}

function beatSettings({ heartbeat }: Config) {
  const { intervalSeconds, ttlSeconds, stallTimeoutSeconds } = heartbeat;
  return { intervalMs: ms(intervalSeconds), ttlMs: ms(ttlSeconds), stallTimeoutMs: ms(stallTimeoutSeconds) };
}

function shownSettings({ beatIntervalSeconds, showToOldReaders }: Config) {
  return { beatIntervalMs: ms(beatIntervalSeconds), showToOldReaders };
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
    gemGraceMs: ms(recovery.gemGraceSeconds),
    ...(recovery.gemScanIntervalSeconds === undefined
      ? undefined
      : { gemScanIntervalMs: ms(recovery.gemScanIntervalSeconds) }),
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
