/**
 * Which Redis a command works on: the ways of tsq-worker, so that where a worker runs no more needs to be said. A flag goes
 * before variables, variables before the file.
 */
import { readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { isRedisUrl, type RedisLocation, redisUrlRule, TsqError } from '@tsq/core';
import type { Command } from 'commander';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { CommandContext } from './command.js';
import type { Environment } from './environment.js';

/** For the schema of a command's options. */
export const connectionOptions = {
  redis: z.string().optional(),
  sentinel: z.array(z.string()).optional(),
  sentinelMaster: z.string().optional(),
  config: z.string().optional(),
};

export interface ConnectionOptions {
  readonly redis?: string | undefined;
  readonly sentinel?: readonly string[] | undefined;
  readonly sentinelMaster?: string | undefined;
  readonly config?: string | undefined;
}

/** Where a file is looked for when none is named, first found. A sidekiq.yml names no Redis. */
const searched = ['tsq.yml', 'config/tsq.yml'];

export function addConnectionOptions(command: Command): Command {
  return command
    .option(
      '--redis <url>',
      'Redis; default: TSQ_REDIS_URL, REDIS_PROVIDER, REDIS_URL, redisUrl of the file, else redis://localhost:6379/0. ' +
        'A URL with a password belongs in a variable: others see a command line',
    )
    .option(
      '-C, --config <file>',
      'a tsq.yml; default: TSQ_CONFIG, else the first of tsq.yml, config/tsq.yml',
    );
}

/** @throws TSQ_CONFIG_INVALID, TSQ_CONFIG_UNREADABLE */
export function locationOf(options: ConnectionOptions, context: CommandContext): RedisLocation {
  const { environment, folder } = context;
  const file = configFile(options.config ?? nonEmpty(environment.TSQ_CONFIG), folder);
  const found =
    (options.redis === undefined ? undefined : { source: 'flag --redis', url: options.redis }) ??
    fromEnvironment(environment) ??
    fromFile(file);
  // The value is not quoted: it may hold a password.
  if (found !== undefined && !isRedisUrl(found.url)) {
    throw new TsqError('TSQ_CONFIG_INVALID', `${found.source}: expected ${redisUrlRule}`);
  }
  return { url: found?.url ?? 'redis://localhost:6379/0', sentinel: sentinelOf(options, environment, file) };
}

/** Whoever names a server by a flag means that one, whatever sentinels are set for the workers. */
function sentinelOf(options: ConnectionOptions, environment: Environment, file: ConfigFile | undefined) {
  const below =
    options.redis === undefined
      ? {
          nodes:
            nonEmpty(environment.TSQ_SENTINEL_NODES)?.trim().split(/\s+/) ?? file?.content.sentinel?.nodes,
          master: nonEmpty(environment.TSQ_SENTINEL_MASTER) ?? file?.content.sentinel?.master,
        }
      : undefined;
  const nodes = options.sentinel ?? below?.nodes;
  const master = options.sentinelMaster ?? below?.master;
  if (nodes === undefined && master === undefined) return undefined;
  return {
    nodes: nodes ?? [],
    master: master ?? '',
    username: nonEmpty(environment.TSQ_SENTINEL_USERNAME) ?? file?.content.sentinel?.username,
    password: nonEmpty(environment.TSQ_SENTINEL_PASSWORD) ?? file?.content.sentinel?.password,
  };
}

/** For commands that look at a fleet. */
export function addNamespaceOption(command: Command): Command {
  return command.option(
    '--namespace <name>',
    "prefix of the fleet's own keys; default: TSQ_NAMESPACE, namespace of the file, else tsq",
  );
}

/** @throws TSQ_CONFIG_INVALID, TSQ_CONFIG_UNREADABLE */
export function namespaceOf(
  options: ConnectionOptions & { readonly namespace?: string | undefined },
  { environment, folder }: CommandContext,
): string {
  const given = options.namespace ?? nonEmpty(environment.TSQ_NAMESPACE);
  if (given !== undefined) return given;
  const file = configFile(options.config ?? nonEmpty(environment.TSQ_CONFIG), folder);
  return file?.content.namespace ?? 'tsq';
}

interface Found {
  readonly source: string;
  readonly url: string;
}

function fromEnvironment(environment: Environment): Found | undefined {
  const provider = nonEmpty(environment.REDIS_PROVIDER);
  const names = ['TSQ_REDIS_URL', ...(provider === undefined ? [] : [provider]), 'REDIS_URL'];
  for (const name of names) {
    const url = nonEmpty(environment[name]);
    if (url !== undefined) return { source: name, url };
    if (name !== provider) continue;
    const what = name.includes(':')
      ? 'holds a URL itself: put that into REDIS_URL'
      : `names ${name}, and that is not set`;
    throw new TsqError(
      'TSQ_CONFIG_INVALID',
      `REDIS_PROVIDER: expected the name of the variable with the URL; it ${what}`,
    );
  }
  return undefined;
}

function fromFile(file: ConfigFile | undefined): Found | undefined {
  const url = file?.content.redisUrl;
  return file === undefined || url === undefined ? undefined : { source: `${file.name}: redisUrl`, url };
}

const text = z.coerce.string().optional();

/** The file is tsq-worker's: of its settings only these are read here, and the others are not judged. */
const FileContent = z.object({
  redisUrl: text,
  sentinel: z
    .object({ nodes: z.array(z.string()).optional(), master: text, username: text, password: text })
    .optional(),
  namespace: text,
});

interface ConfigFile {
  readonly name: string;
  readonly content: z.infer<typeof FileContent>;
}

function configFile(named: string | undefined, folder: string): ConfigFile | undefined {
  const name = named ?? searched.find((candidate) => isFile(join(folder, candidate)));
  if (name === undefined || /sidekiq/i.test(basename(name))) return undefined;
  const document = parseDocument(textOf(name, folder), { version: '1.1', prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new TsqError('TSQ_CONFIG_INVALID', `${name} is not YAML: ${error.message}`, { cause: error });
  }
  const parsed = FileContent.safeParse(document.toJS() ?? {});
  if (parsed.success) return { name, content: parsed.data };
  const [issue] = parsed.error.issues;
  throw new TsqError(
    'TSQ_CONFIG_INVALID',
    `${name}: ${issue?.path.join('.') || 'settings'}: ${issue?.message}`,
  );
}

function textOf(name: string, folder: string): string {
  try {
    return readFileSync(resolve(folder, name), 'utf8');
  } catch (error) {
    throw new TsqError('TSQ_CONFIG_UNREADABLE', `${name}: ${String(error)}`, { cause: error });
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
