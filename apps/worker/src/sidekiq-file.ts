/**
 * Sidekiq's own config/sidekiq.yml, in tsq's names. A fleet in which some jobs move to TypeScript keeps one file; what in it
 * is for Ruby only is named in a warning, so that nobody believes it counts here.
 */
import { didYouMean } from '@tsq/core';
import { isMap, overlaid, type RawSettings, settingsOf } from './layer.js';
import type { SettingPath } from './settings.js';

type Row = readonly [SettingPath, unknown];
type Entries = readonly (readonly [string, unknown])[];

/** Its keys that tsq knows. `undefined` where the value says nothing. */
const known: Readonly<Record<string, (value: unknown) => Row | undefined>> = {
  concurrency: (value) => ['concurrency', value],
  queues: (value) => ['queues', value],
  capsules: (value) => ['capsules', value],
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
  tsq: () => undefined, // what tsq has and Sidekiq has not, in the names of tsq.yml: laid over the rest
  strict: () => undefined, // Sidekiq drops it too: strict is the order of queues without weights
};

/** Keys that a fleet really has in there, with what to do instead. */
const explained: Readonly<Record<string, string>> = {
  require: 'names Ruby code; name the TypeScript workers with -r',
  logfile: 'is not read: logs go to stdout',
  pidfile: 'is not read: leave it to the service manager',
  redis: 'is not read: name the server in REDIS_URL, sentinels in TSQ_SENTINEL_NODES and TSQ_SENTINEL_MASTER',
  schedule: "is sidekiq-cron's or sidekiq-scheduler's: leave it to a process of Ruby",
  limits: 'is not read: a process holds itself to its concurrency alone',
};

const capsuleKeys = ['queues', 'concurrency'] as const;

/** Names under which a section of its own stands in the file, even when it sets nothing that is known. */
const usualEnvironments = ['development', 'test', 'production', 'staging'];

/** A file with Ruby's symbols for keys (`:concurrency:`) can only be Sidekiq's. */
export function looksLikeSidekiqs(content: RawSettings): boolean {
  return Object.keys(content).some((key) => key.startsWith(':'));
}

/** The section named as the environment is merged over the top level; those of other environments are passed over in silence. */
export function sidekiqSettings(
  content: RawSettings,
  environment: string,
): { settings: RawSettings; warnings: readonly string[] } {
  const top = withoutSymbols(content);
  const own = isMap(top) ? top : {};
  const section = Object.hasOwn(own, environment) ? own[environment] : undefined;
  const above = Object.entries(own).filter(
    ([key, value]) => !isSection(key, value) && !(key === environment && isMap(value)),
  );
  const within = isMap(section) ? Object.entries(section) : [];
  const warnings = [...unknownIn(above, ''), ...unknownIn(within, `${environment}.`)];
  // Key by key the section replaces the top level, capsules too.
  const effective = Object.entries(Object.fromEntries([...above, ...within]));
  const [, ours] = effective.find(([key]) => key === 'tsq') ?? [];
  const settings = settingsOf(rowsOf(effective));
  return { settings: isMap(ours) ? overlaid(settings, ours) : settings, warnings };
}

function rowsOf(entries: Entries): readonly Row[] {
  return entries.flatMap(([key, value]) => {
    if (key === 'capsules' && isMap(value)) return capsuleRows(value);
    const row = isKnown(key) && value !== null ? known[key]?.(value) : undefined;
    return row === undefined ? [] : [row];
  });
}

/** Sidekiq has a capsule called `default` too: in the file it stands at the top level, or among the others, and then counts. */
function capsuleRows(capsules: RawSettings): readonly Row[] {
  const read = (own: unknown) =>
    isMap(own)
      ? Object.fromEntries(capsuleKeys.flatMap((key) => (key in own ? [[key, own[key]]] : [])))
      : own;
  const { default: top, ...named } = Object.fromEntries(
    Object.entries(capsules).map(([name, own]) => [name, read(own)]),
  );
  const rows = isMap(top) ? capsuleKeys.flatMap((key): Row[] => (key in top ? [[key, top[key]]] : [])) : [];
  return [...rows, ['capsules', named]];
}

function* unknownIn(entries: Entries, prefix: string): Generator<string> {
  for (const [key, value] of entries) {
    if (!isKnown(key)) yield unknownKey(key, `${prefix}${key}`, Object.keys(known));
    if (key !== 'capsules' || !isMap(value)) continue;
    for (const [name, own] of Object.entries(value)) {
      const others = isMap(own) ? Object.keys(own).filter((inner) => !isCapsuleKey(inner)) : [];
      for (const inner of others) yield unknownKey(inner, `${prefix}capsules.${name}.${inner}`, capsuleKeys);
    }
  }
}

/**
 * Whether a key of the top level names an environment, and not a setting of some gem: by its name, or because what stands
 * in it are settings of Sidekiq's and nothing else. A gem's map may share a word with them (`timeout`), hardly all.
 */
function isSection(key: string, value: unknown): boolean {
  if (isKnown(key) || Object.hasOwn(explained, key)) return false;
  if (usualEnvironments.includes(key)) return value === null || isMap(value);
  if (!isMap(value)) return false;
  const names = Object.keys(value);
  if (names.includes('queues') || names.includes('concurrency')) return true;
  return names.length > 0 && names.every((name) => isKnown(name) || Object.hasOwn(explained, name));
}

function isCapsuleKey(key: string): boolean {
  return capsuleKeys.some((known) => known === key);
}

function isKnown(key: string): boolean {
  return Object.hasOwn(known, key);
}

/** What the file says its environment is; it chooses the section when neither a flag nor a variable does. */
export function environmentOf(content: RawSettings): string | undefined {
  const value = content.environment ?? content[':environment'];
  return typeof value === 'string' ? value : undefined;
}

function unknownKey(key: string, shown: string, candidates: readonly string[]): string {
  const why = Object.hasOwn(explained, key) ? explained[key] : undefined;
  return `"${shown}" ${why ?? `is not a setting of tsq, and is passed over${didYouMean(key, candidates)}`}`;
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
