/** `defineWorker`: a worker for those who want no class. */
import { describeValue, type FunctionWorker, TsqError, workerDefinition } from '@tsq/core';
import type { ZodType } from 'zod';
import { definitionOf, type WorkerSettings } from './worker-settings.js';

/**
 * What `defineWorker` returns: export it, or add it to a WorkerRegistry.
 * `Args`: what `enqueue` takes. `Performed`: what the function gets, the same unless a schema transforms it.
 */
export interface DefinedWorker<
  Args extends readonly unknown[] = readonly unknown[],
  Performed extends readonly unknown[] = Args,
> extends FunctionWorker<Args> {
  /** The function as it was given. Outside of a running job, in a test say, there is no `currentJob()`. */
  readonly perform: (...args: Performed) => unknown;
}

type AnyPerform = (...args: never) => unknown;

/** `name`, the first argument, is the name on the wire. */
export type FunctionWorkerSettings = Omit<WorkerSettings, 'name'>;

/**
 * The arguments are typed by the function, or by the schema in `args`.
 * @throws TSQ_WORKER_INVALID no name, no function, an unknown option, one of the wrong type
 */
export function defineWorker<Args extends readonly unknown[]>(
  name: string,
  perform: (...args: Args) => unknown,
): DefinedWorker<Args>;
export function defineWorker<Schema extends ZodType<readonly unknown[], readonly unknown[]>>(
  name: string,
  settings: FunctionWorkerSettings & { readonly args: Schema },
  perform: (...args: Schema['_zod']['output']) => unknown,
): DefinedWorker<Schema['_zod']['input'], Schema['_zod']['output']>;
export function defineWorker<Args extends readonly unknown[]>(
  name: string,
  settings: FunctionWorkerSettings & { readonly args?: undefined },
  perform: (...args: Args) => unknown,
): DefinedWorker<Args>;
export function defineWorker(
  name: string,
  ...rest: [perform: AnyPerform] | [settings: FunctionWorkerSettings, perform: AnyPerform]
): FunctionWorker {
  const [settings, perform] = rest.length === 1 ? [{}, rest[0]] : rest;
  if (typeof name !== 'string') {
    const message = `defineWorker: expected a name, got ${describeValue(name)}`;
    throw new TsqError('TSQ_WORKER_INVALID', message);
  }
  if (typeof perform !== 'function') {
    const message = `defineWorker("${name}"): expected a function as its last argument, got ${describeValue(perform)}`;
    throw new TsqError('TSQ_WORKER_INVALID', message);
  }
  const definition = definitionOf(name, settings);
  if (definition.name !== name) {
    const message = `defineWorker("${name}"): its name is the first argument; take \`name\` out of the options`;
    throw new TsqError('TSQ_WORKER_INVALID', message);
  }
  return Object.freeze({ [workerDefinition]: definition, perform });
}
