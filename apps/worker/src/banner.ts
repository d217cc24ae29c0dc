/** What the process says of itself when it starts, once: enough to see from a log what runs where, with which settings. */
import { type WorkerDefinition, withoutPassword, workerDefinitionOf } from '@tsq/core';
import { type AnyWorker, queueMode } from '@tsq/worker';
import type { Config } from './config.js';
import type { Log } from './log.js';

export interface BannerFacts {
  readonly version: string;
  /** The process as Sidekiq's pages name it: `host:pid:nonce`. */
  readonly identity: string;
  readonly configFile: string | undefined;
  readonly workers: readonly AnyWorker[];
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
    `  queues    ${fields.queues.join(', ')} (${fields.order}) · ${config.concurrency} at once`,
    `  workers   ${names}${tracked.size > 0 ? '   * tracked: survive kill -9' : ''}`,
    `  identity  ${facts.identity}`,
    '',
  ].join('\n');
}

function bannerFields(config: Config, facts: BannerFacts) {
  const definitions = facts.workers
    .map(workerDefinitionOf)
    .filter((definition): definition is WorkerDefinition => definition !== undefined);
  const tracked = definitions.filter(({ options }) => config.tracked === 'all' || options.tracked === true);
  return {
    version: facts.version,
    environment: config.environment,
    configFile: facts.configFile,
    redis: withoutPassword(config.redisUrl),
    queues: config.queues.map(({ name, weight }) => (weight > 0 ? `${name},${weight}` : name)),
    order: queueMode(config.queues),
    concurrency: config.concurrency,
    workers: definitions.map(({ name }) => name),
    tracked: tracked.map(({ name }) => name),
    identity: facts.identity,
  };
}
