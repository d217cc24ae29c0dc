/** What the process says of itself when it starts, once: enough to see from a log what runs where, with which settings. */
import { shownLocation, type WorkerDefinition, workerDefinitionOf } from '@tsq/core';
import type { AnyWorker, TrackingSetup } from '@tsq/worker';
import { type Capsule, capsulesOf } from './capsules.js';
import type { Config } from './config.js';
import { locationOf } from './location.js';
import type { Log } from './log.js';

export interface BannerFacts {
  readonly version: string;
  /** The process as Sidekiq's pages name it: `host:pid:nonce`. */
  readonly identity: string;
  readonly configFile: string | undefined;
  readonly workers: readonly AnyWorker[];
  /** What the worker files have added to the settings. */
  readonly tracking: TrackingSetup;
}

export function showBanner(log: Log, config: Config, facts: BannerFacts): void {
  if (log.format === 'json')
    log.logger.info(bannerFields(config, facts), `tsq-worker ${facts.version} starts`);
  else log.print(bannerText(config, facts));
}

export function bannerText(config: Config, facts: BannerFacts): string {
  const fields = bannerFields(config, facts);
  const tracked = new Set(fields.tracked);
  const names = fields.workers.map((name) => (tracked.has(name) ? `${name}*` : name)).join(', ');
  const from = facts.configFile === undefined ? '' : `, ${facts.configFile}`;
  return [
    `tsq-worker ${facts.version} · ${config.environment}${from} · ${fields.redis}`,
    `  queues    ${shown(fields)}`,
    ...Object.entries(fields.capsules ?? {}).map(([name, own]) => `  capsule   ${name}: ${shown(own)}`),
    `  workers   ${names}${tracked.size > 0 ? '   * tracked: survive kill -9' : ''}`,
    ...trackedLines(fields),
    `  identity  ${facts.identity}`,
    '',
  ].join('\n');
}

function trackedLines({
  trackedQueues,
  trackingPredicates,
}: ReturnType<typeof bannerFields>): readonly string[] {
  const queues = trackedQueues.length > 0 ? [`the queues ${trackedQueues.join(', ')}`] : [];
  const predicates =
    trackingPredicates > 0
      ? [`what ${trackingPredicates === 1 ? 'a predicate says' : `${trackingPredicates} predicates say`}`]
      : [];
  const parts = [...queues, ...predicates];
  return parts.length > 0 ? [`  tracked   ${parts.join(', and ')}`] : [];
}

function shown({ queues, order, concurrency }: ReturnType<typeof capsuleFields>): string {
  return `${queues.join(', ')} (${order}) · ${concurrency} at once`;
}

function capsuleFields({ order, concurrency }: Capsule) {
  const queues = order.queues.map(({ name, weight }) => (weight > 0 ? `${name},${weight}` : name));
  return { queues, order: order.mode, concurrency };
}

function bannerFields(config: Config, facts: BannerFacts) {
  const definitions = facts.workers
    .map(workerDefinitionOf)
    .filter((definition): definition is WorkerDefinition => definition !== undefined);
  const tracksAll = config.tracked === 'all' || facts.tracking.all;
  const tracked = definitions.filter(({ options }) => tracksAll || options.tracked === true);
  const [first, ...named] = capsulesOf(config);
  const others = named.map((capsule) => [capsule.name, capsuleFields(capsule)] as const);
  return {
    version: facts.version,
    environment: config.environment,
    configFile: facts.configFile,
    redis: shownLocation(locationOf(config)),
    ...capsuleFields(first),
    ...(others.length === 0 ? {} : { capsules: Object.fromEntries(others) }),
    workers: definitions.map(({ name }) => name),
    tracked: tracked.map(({ name }) => name),
    trackedQueues: [...new Set([...config.trackedQueues, ...facts.tracking.queues])],
    trackingPredicates: facts.tracking.predicates.length,
    identity: facts.identity,
  };
}
