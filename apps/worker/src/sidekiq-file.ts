/**
 * Sidekiq's own config/sidekiq.yml, in tsq's names. A fleet in which some jobs move to TypeScript keeps one file; what in it
 * is for Ruby only is named in a warning, so that nobody believes it counts here.
 */
import { didYouMean } from '@tsq/core';
import { isMap, type RawSettings, settingsOf } from './layer.js';
import type { SettingPath } from './settings.js';

type Row = readonly [SettingPath, unknown];

/** Its keys that tsq knows. `undefined` where the value says nothing. */
const known: Readonly<Record<string, (value: unknown) => Row | undefined>> = {
  concurrency: (value) => ['concurrency', value],
  queues: (value) => ['queues', value],
  timeout: (value) => ['timeoutSeconds', value],
  environment: (value) => ['environment', value],
  tag: (value) => ['tag', value],
  labels: (value) => ['labels', value],
  verbose: (value) => (value === true ? ['log.level', 'debug'] : undefined),
  max_iteration_runtime: (value) => ['maxIterationRuntimeSeconds', value],
  max_retries: (value) => ['maxRetries', value],
  dead_max_jobs: (value) => ['dead.maxJobs', value],
  dead_timeout_in_seconds: (value) => ['dead.timeoutSeconds', value],
  average_scheduled_poll_interval: (value) => ['poll.intervalSeconds', value],
  poll_interval_average: (value) => ['poll.averageSeconds', value],
  skip_default_job_logging: (value) => (value === true ? ['log.jobs', false] : undefined),
  strict: () => undefined, // Sidekiq drops it too: strict is the order of queues without weights
};

/** Keys that a fleet really has in there, with what to do instead. */
const explained: Readonly<Record<string, string>> = {
  require: 'names Ruby code; name the TypeScript workers with -r',
  capsules: 'is not read: start one tsq-worker per capsule, with -q and -c',
  logfile: 'is not read: logs go to stdout',
  pidfile: 'is not read: leave it to the service manager',
};

/** A file with Ruby's symbols for keys (`:concurrency:`) can only be Sidekiq's. */
export function looksLikeSidekiqs(content: RawSettings): boolean {
  return Object.keys(content).some((key) => key.startsWith(':'));
}

/** The section named as the environment is merged over the top level; a map under an unknown name is another's section. */
export function sidekiqSettings(
  content: RawSettings,
  environment: string,
): { settings: RawSettings; warnings: readonly string[] } {
  const top = withoutSymbols(content);
  const own = isMap(top) ? top : {};
  const section = Object.hasOwn(own, environment) ? own[environment] : undefined;
  const rows: Row[] = [];
  const warnings: string[] = [];
  for (const [key, value] of Object.entries({ ...own, ...(isMap(section) ? section : {}) })) {
    const read = Object.hasOwn(known, key) ? known[key] : undefined;
    const row = read?.(value);
    if (row !== undefined && value !== null) rows.push(row);
    if (read === undefined && (!isMap(value) || Object.hasOwn(explained, key)))
      warnings.push(unknownKey(key));
  }
  return { settings: settingsOf(rows), warnings };
}

/** What the file says its environment is; it chooses the section when neither a flag nor a variable does. */
export function environmentOf(content: RawSettings): string | undefined {
  const value = content.environment ?? content[':environment'];
  return typeof value === 'string' ? value : undefined;
}

function unknownKey(key: string): string {
  const why = Object.hasOwn(explained, key) ? explained[key] : undefined;
  return `"${key}" ${why ?? `is not a setting of tsq, and is passed over${didYouMean(key, Object.keys(known))}`}`;
}

/** `:name` -> `name`, in keys and values at every depth: YAML's text for a Ruby symbol. */
function withoutSymbols(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^:(?=\w)/, '');
  if (Array.isArray(value)) return value.map(withoutSymbols);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.replace(/^:/, ''), withoutSymbols(inner)]),
  );
}
