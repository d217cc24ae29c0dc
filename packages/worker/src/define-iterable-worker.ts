/** `defineIterableWorker`: a worker that iterates, for those who want no class. */
import { type FunctionWorker, type JsonValue, TsqError } from '@tsq/core';
import type { ZodType } from 'zod';
import { type DefinedWorker, defineWorker, type FunctionWorkerSettings } from './define-worker.js';
import { type AnyIterationSteps, type IterationSteps, iterations } from './iterable-worker.js';
import { iterateAtOnce } from './iterate-at-once.js';

/**
 * The arguments are typed by `enumerator` and `eachIteration`, or by the schema in `args`. The hooks find their job with
 * `currentJob()`.
 * @throws TSQ_WORKER_INVALID as `defineWorker`; no `enumerator`, no `eachIteration`
 */
export function defineIterableWorker<
  Schema extends ZodType<readonly unknown[], readonly unknown[]>,
  Item,
  Cursor extends JsonValue,
>(
  name: string,
  settings: FunctionWorkerSettings & { readonly args: Schema },
  steps: IterationSteps<Schema['_zod']['output'], Item, Cursor>,
): DefinedWorker<Schema['_zod']['input'], Schema['_zod']['output']>;
export function defineIterableWorker<Args extends readonly unknown[], Item, Cursor extends JsonValue>(
  name: string,
  settings: FunctionWorkerSettings & { readonly args?: undefined },
  steps: IterationSteps<Args, Item, Cursor>,
): DefinedWorker<Args>;
export function defineIterableWorker(
  name: string,
  settings: FunctionWorkerSettings,
  steps: object,
): FunctionWorker {
  for (const step of ['enumerator', 'eachIteration']) {
    if (typeof Reflect.get(steps, step) === 'function') continue;
    const message = `defineIterableWorker("${name}"): expected a method \`${step}\`, got none`;
    throw new TsqError('TSQ_WORKER_INVALID', message);
  }
  const own = steps as AnyIterationSteps; // the overloads have held it to its types
  const perform = (...args: readonly unknown[]) => iterateAtOnce(own, args);
  // Checked as any worker's; a schema in it is one of the overloads'.
  const checked = settings as FunctionWorkerSettings & { readonly args?: undefined };
  return Object.freeze({ ...defineWorker(name, checked, perform), [iterations]: own });
}
