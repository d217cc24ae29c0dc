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
  config: z.string().optional(),
};

export interface ConnectionOptions {
  readonly redis?: string | undefined;
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
  const found =
    (options.redis === undefined ? undefined : { source: 'flag --redis', url: options.redis }) ??
    fromEnvironment(environment) ??
    fromFile(options.config ?? nonEmpty(environment.TSQ_CONFIG), folder);
  if (found === undefined) return { url: 'redis://localhost:6379/0' };
  // The value is not quoted: it may hold a password.
  if (isRedisUrl(found.url)) return { url: found.url };
  throw new TsqError('TSQ_CONFIG_INVALID', `${found.source}: expected ${redisUrlRule}`);
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

function fromFile(named: string | undefined, folder: string): Found | undefined {
  const file = configFile(named, folder);
  const url = file?.content.redisUrl;
  return file === undefined || url === undefined ? undefined : { source: `${file.name}: redisUrl`, url };
}

/** The file is tsq-worker's: of its settings only these are read here, and the others are not judged. */
const FileContent = z.object({
  redisUrl: z.coerce.string().optional(),
  namespace: z.coerce.string().optional(),
});

function configFile(named: string | undefined, folder: string) {
  const name = named ?? searched.find((candidate) => isFile(join(folder, candidate)));
  if (name === undefined || /sidekiq/i.test(basename(name))) return undefined;
  const document = parseDocument(textOf(name, folder), { version: '1.1', prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new TsqError('TSQ_CONFIG_INVALID', `${name} is not YAML: ${error.message}`, { cause: error });
  }
  return { name, content: FileContent.safeParse(document.toJS()).data ?? {} };
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
