/**
 * The environment's layer. This file is the one place of the command that touches `process.env`: what a variable decides
 * must show in the Config, and nowhere else.
 */
import { didYouMean, TsqError } from '@tsq/core';
import { type Layer, settingsOf } from './layer.js';
import { numberOrText, type Setting, type SettingPath, settings, variableOf } from './settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Those that a variable can set. */
const textual = settings.filter(({ takes }) => takes !== 'map');

/** The variable that names the configuration file. */
const configVariable = 'TSQ_CONFIG';

/** Others' variables, by falling precedence; a setting's own TSQ_ variable goes before them. */
const foreign: readonly (readonly [SettingPath, string])[] = [
  ['redisUrl', 'REDIS_URL'],
  ['concurrency', 'RAILS_MAX_THREADS'],
  ['environment', 'APP_ENV'],
  ['environment', 'RAILS_ENV'],
  ['environment', 'RACK_ENV'],
  ['environment', 'NODE_ENV'],
  ['hostName', 'DYNO'],
];

// A Service called "tsq" or "tsq-web" puts TSQ_SERVICE_HOST, TSQ_WEB_PORT_80_TCP_ADDR and such into every pod.
const kubernetesService =
  /_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/;

// One .env file may serve every command of tsq: theirs are not ours to judge. TSQ_FAULT is the chaos suite's, and does
// nothing in what ships.
const siblings = /^TSQ_((WEB|CLI|DEMO|BENCH|CHAOS|TEST)_|FAULT$)/;

export function currentEnvironment(): Environment {
  return process.env;
}

/** @throws TSQ_CONFIG_UNKNOWN_KEY for a TSQ_ variable that nothing reads; TSQ_CONFIG_INVALID for REDIS_PROVIDER */
export function readEnvironment(environment: Environment): { layer: Layer; configFile: string | undefined } {
  refuseUnknown(environment);
  const given = new Map<SettingPath, { readonly value: unknown; readonly name: string }>();
  for (const [path, name, text] of candidates(environment)) {
    const setting = settings.find((one) => one.path === path);
    if (setting === undefined || text === undefined || text === '' || given.has(path)) continue;
    given.set(path, { value: parseText(setting, text), name });
  }
  const layer: Layer = {
    settings: settingsOf([...given].map(([path, { value }]) => [path, value] as const)),
    nameOf: (path) => [...given].find(([known]) => path.startsWith(known))?.[1].name ?? 'the environment',
  };
  return { layer, configFile: environment[configVariable] || undefined };
}

/**
 * Runs `register` with tsx told which tsconfig.json counts: its CommonJS half takes it from a variable only. A user's own
 * TSX_TSCONFIG_PATH goes before.
 */
export function withTsconfig(file: string | undefined, register: () => void): void {
  const before = process.env.TSX_TSCONFIG_PATH;
  if (before === undefined && file !== undefined) process.env.TSX_TSCONFIG_PATH = file;
  try {
    register();
  } finally {
    if (before === undefined) delete process.env.TSX_TSCONFIG_PATH;
  }
}

function* candidates(
  environment: Environment,
): Generator<readonly [SettingPath, string, string | undefined]> {
  for (const { path } of textual) yield [path, variableOf(path), environment[variableOf(path)]];
  const provider = providerOf(environment);
  if (provider !== undefined) yield ['redisUrl', provider, environment[provider]];
  for (const [path, name] of foreign) yield [path, name, environment[name]];
}

/** REDIS_PROVIDER holds the name of the variable that holds the URL. */
function providerOf(environment: Environment): string | undefined {
  const name = environment.REDIS_PROVIDER;
  if (name === undefined || name === '') return undefined;
  if (name.includes(':')) {
    // The value is not quoted: it looks like a URL, and may hold a password.
    const expected =
      'REDIS_PROVIDER: expected the NAME of the variable that holds the URL, such as MY_REDIS_URL';
    throw new TsqError('TSQ_CONFIG_INVALID', `${expected}; got a URL. Put the URL into REDIS_URL instead`);
  }
  if (!environment[name]) {
    throw new TsqError('TSQ_CONFIG_INVALID', `REDIS_PROVIDER names ${name}, and ${name} is not set`);
  }
  return name;
}

function refuseUnknown(environment: Environment): void {
  const known = [...textual.map(({ path }) => variableOf(path)), configVariable];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('TSQ_') || known.includes(name)) continue;
    if (siblings.test(name) || kubernetesService.test(name)) continue;
    const hint = didYouMean(name, known);
    throw new TsqError('TSQ_CONFIG_UNKNOWN_KEY', `environment: no setting is read from ${name}${hint}`);
  }
}

function parseText({ takes }: Setting, text: string): unknown {
  if (takes === 'list') return text.split(/\s+/).filter((part) => part !== '');
  if (takes === 'number') return numberOrText(text);
  if (takes === 'switch')
    return { true: true, '1': true, false: false, '0': false }[text.toLowerCase()] ?? text;
  return text;
}
