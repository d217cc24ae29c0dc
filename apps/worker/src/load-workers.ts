/**
 * Imports the worker files and finds among what they export the workers (decorated classes and function workers) and
 * `configureServer`, which adds middleware and handlers. A file that can't be loaded stops the start: a worker process that lacks half of its workers would fail their jobs.
 */
import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describeValue, type Logger, TsqError, workerDefinitionOf } from '@tsq/core';
import { type AnyWorker, type ConfigureServer, ServerSetup } from '@tsq/worker';
import { errorCodeOf } from './error-code.js';
import { isMap } from './layer.js';
import { isTypeScript, registerTypeScript } from './typescript.js';
import { findWorkerFiles } from './worker-files.js';

export interface LoadedWorkers {
  /** Each with the first file that exports it, as messages name it. */
  readonly workers: ReadonlyMap<AnyWorker, string>;
  /** As the files have configured it. */
  readonly server: ServerSetup;
}

/**
 * @param paths of `-r`: files, folders, globs, from `folder` on
 * @throws TSQ_WORKERS_UNLOADABLE; TSQ_WORKER_INVALID from a decorator and TSQ_MIDDLEWARE_UNKNOWN from
 *   `configureServer`, with the file's name before it
 */
export async function loadWorkers(
  paths: readonly string[],
  folder: string,
  logger: Logger,
): Promise<LoadedWorkers> {
  if (paths.length === 0) {
    throw new TsqError(
      'TSQ_WORKERS_UNLOADABLE',
      'no workers: name a file, a folder or a glob, such as "-r ./workers.ts" or "require: [./workers]" in tsq.yml',
    );
  }
  const files = await findWorkerFiles(paths, folder);
  if (files.some(isTypeScript)) await prepareTypeScript(files, logger);
  const workers = new Map<AnyWorker, string>();
  const server = new ServerSetup(logger);
  const configured = new Set<unknown>();
  for (const file of files) {
    const name = relative(folder, file);
    const exported = exportsOf(await orUnloadable(name, () => import(pathToFileURL(file).href)));
    const found = Object.values(exported).filter(isWorker);
    const configure = exported.configureServer;
    if (found.length === 0 && configure === undefined) logger.warn({ file }, `${name} exports no worker`);
    if (configure !== undefined && !configured.has(configure)) {
      configured.add(configure); // modules export each other's
      await orUnloadable(name, async () => await configurerFrom(configure)(server));
    }
    for (const worker of found) if (!workers.has(worker)) workers.set(worker, name);
  }
  if (workers.size > 0) return { workers, server };
  const names = files.map((file) => relative(folder, file)).join(', ');
  throw new TsqError(
    'TSQ_WORKERS_UNLOADABLE',
    `no worker in ${names}: export a class decorated with @Worker, or what defineWorker returns`,
  );
}

async function prepareTypeScript(files: readonly string[], logger: Logger): Promise<void> {
  const { tsconfig, passedOver } = await registerTypeScript(files);
  if (tsconfig !== undefined) logger.debug({ tsconfig }, 'TypeScript is read by this tsconfig.json');
  if (passedOver.length > 0) {
    logger.warn(
      { tsconfig, passedOver },
      'workers of several TypeScript projects: the first tsconfig.json counts',
    );
  }
}

async function orUnloadable<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (isTsqError(error)) throw new TsqError(error.code, `${name}: ${error.message}`, { cause: error });
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const message = `${name} failed while it was loaded: ${what}${hintFor(error)}`;
    throw new TsqError('TSQ_WORKERS_UNLOADABLE', message, { cause: error });
  }
}

/** The exports, and what a CommonJS module put into `module.exports`. */
function exportsOf(module: unknown): Readonly<Record<string, unknown>> {
  if (!isMap(module)) return {};
  return { ...(isMap(module.default) ? module.default : {}), ...module };
}

function configurerFrom(value: unknown): ConfigureServer {
  if (isConfigurer(value)) return value;
  const message = `configureServer: expected a function, got ${describeValue(value)}`;
  throw new TsqError('TSQ_WORKERS_UNLOADABLE', message);
}

function isConfigurer(value: unknown): value is ConfigureServer {
  return typeof value === 'function';
}

function isWorker(value: unknown): value is AnyWorker {
  return workerDefinitionOf(value) !== undefined;
}

/** By name and not by class: the workers' project may have a copy of @tsq/core of its own. */
function isTsqError(error: unknown): error is TsqError {
  return error instanceof Error && error.name === 'TsqError' && 'code' in error;
}

function hintFor(error: unknown): string {
  const code = errorCodeOf(error);
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    return '. Install the package in the project of the workers, or correct the import';
  }
  if (error instanceof ReferenceError && /(require|module|exports) is not defined/.test(error.message)) {
    return '. The file is an ES module: write import and export, or name it .cjs (.cts)';
  }
  if (error instanceof Error && /SyntaxError|TransformError/.test(error.name)) {
    return '. "npx tsc --noEmit" says more';
  }
  return '';
}
