/**
 * From the command line to the one Config: lays the sources over each other, and says of a wrong setting where it was
 * given, what was expected and what came.
 */
import { didYouMean, TsqError } from '@tsq/core';
import type { z } from 'zod';
import { Config } from './config.js';
import { layerOf, readConfigFile } from './config-file.js';
import { type Environment, readEnvironment } from './environment.js';
import { expectationOf } from './expectation.js';
import { isMap, type Layer, merged, valueAt } from './layer.js';
import { settings } from './settings.js';
import { environmentOf } from './sidekiq-file.js';

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read, if any. */
  readonly file: string | undefined;
  /** For the log: settings of a sidekiq.yml that mean nothing here. */
  readonly warnings: readonly string[];
}

/** @throws TSQ_CONFIG_INVALID, TSQ_CONFIG_UNKNOWN_KEY, TSQ_CONFIG_UNREADABLE */
export function loadConfig(
  flags: Layer,
  configFlag: string | undefined,
  environment: Environment,
  folder: string,
): LoadedConfig {
  const variables = readEnvironment(environment);
  const above = [flags, variables.layer];
  const file = readConfigFile(configFlag ?? variables.configFile, folder);
  if (file === undefined) return { config: parseConfig(above), file: undefined, warnings: [] };
  const { layer, warnings } = layerOf(
    file,
    chosenEnvironment(above) ?? environmentOf(file.content) ?? 'development',
  );
  return { config: parseConfig([...above, layer]), file: file.name, warnings };
}

/** @throws TSQ_CONFIG_INVALID, TSQ_CONFIG_UNKNOWN_KEY */
function parseConfig(layers: readonly Layer[]): Config {
  const parsed = Config.safeParse(merged(layers));
  if (parsed.success) return parsed.data;
  const unknown = parsed.error.issues.find((issue) => issue.code === 'unrecognized_keys');
  if (unknown !== undefined) throw unknownKey(unknown, layers);
  const lines = parsed.error.issues.map((issue) => describe(issue, layers));
  throw new TsqError('TSQ_CONFIG_INVALID', lines.join('\n'));
}

function chosenEnvironment(layers: readonly Layer[]): string | undefined {
  const chosen = merged(layers).environment;
  return typeof chosen === 'string' ? chosen : undefined;
}

function unknownKey(issue: z.core.$ZodIssueUnrecognizedKeys, layers: readonly Layer[]): TsqError {
  const key = issue.keys[0] ?? '';
  const path = [...issue.path, key];
  const name = path.join('.');
  return new TsqError(
    'TSQ_CONFIG_UNKNOWN_KEY',
    `${sourceOf(path, layers)}: no setting "${name}"${hint(path, name)}`,
  );
}

/** Near by spelling at its own level; or the same words elsewhere: `heartbeat_ttl`, `timeout`, `heartbeatInterval`. */
function hint(path: readonly PropertyKey[], name: string): string {
  const parent = path.slice(0, -1).join('.');
  const inCapsule = path[0] === 'capsules' ? ['queues', 'concurrency'].map((key) => `${parent}.${key}`) : [];
  const level = settings
    .filter((setting) => parent === '' || setting.path.startsWith(`${parent}.`))
    .map((setting) => (parent === '' ? (setting.path.split('.')[0] ?? '') : setting.path));
  const same = settings.find((setting) => words(setting.path) === words(name));
  return same === undefined ? didYouMean(name, [...level, ...inCapsule]) : `; did you mean "${same.path}"?`;
}

function words(name: string): string {
  return name
    .replace(/[._-]/g, '')
    .toLowerCase()
    .replace(/seconds$/, '');
}

function describe(issue: z.core.$ZodIssue, layers: readonly Layer[]): string {
  const name = issue.path.join('.') || 'settings';
  const source = sourceOf(issue.path, layers);
  const got = issue.code === 'invalid_key' ? '' : gotOf(issue.path, layers); // the key stands in the path
  return `${source}: ${name}: expected ${expectationOf(issue)}${got}${nearest(issue, layers)}`;
}

/** Of a word that is none of those expected. */
function nearest(issue: z.core.$ZodIssue, layers: readonly Layer[]): string {
  const given = textAt(merged(layers), issue.path);
  return issue.code === 'invalid_value' && given !== undefined
    ? didYouMean(given, issue.values.map(String))
    : '';
}

/**
 * The value as it was given (of "a,x", whose weight is wrong, the whole); never that of a URL, which may hold a password, nor a password.
 */
function gotOf(path: readonly PropertyKey[], layers: readonly Layer[]): string {
  if (path[0] === 'redisUrl' || path.join('.') === 'sentinel.password') return '';
  const own = valueAt(merged(layers), path);
  const given = own === undefined ? textAt(merged(layers), path.slice(0, -1)) : own;
  if (given === undefined) return '';
  return `, got ${isMap(given) ? 'settings' : JSON.stringify(given)}`;
}

function textAt(settings: unknown, path: readonly PropertyKey[]): string | undefined {
  const value = valueAt(settings, path);
  return typeof value === 'string' ? value : undefined;
}

/** The first layer that has the setting, or the nearest part of it. */
function sourceOf(path: readonly PropertyKey[], layers: readonly Layer[]): string {
  for (let length = path.length; length > 0; length -= 1) {
    const part = path.slice(0, length);
    const layer = layers.find(({ settings: given }) => valueAt(given, part) !== undefined);
    if (layer !== undefined) return layer.nameOf(path.map(String).join('.'));
  }
  return 'defaults';
}
