/**
 * `@Worker({...})`: makes a class with `perform` a worker. It leaves a definition on the class and changes nothing else;
 * there is no list of all workers behind it. Who runs workers finds them among a module's exports, or adds them to a
 * WorkerRegistry, so that a file imported twice, or for its types, has no effect at a distance.
 */
import { describeValue, TsqError, workerDefinition, workerDefinitionOf } from '@tsq/core';
import type { ZodType } from 'zod';
import { definitionOf, type WorkerSettings } from './worker-settings.js';

/**
 * Works as a standard decorator, and under `experimentalDecorators`, which calls it without a context.
 * `perform` is a property here, not a method: only so does the compiler compare its parameters strictly.
 */
export type WorkerDecorator<Args extends readonly unknown[]> = <
  Class extends new () => { perform: (...args: Args) => unknown },
>(
  target: Class,
  context?: ClassDecoratorContext<Class>,
) => void;

/**
 * With `args`, a zod schema: args that don't fit fail the job (TSQ_ARGS_REJECTED) before `perform`, and the parameters of
 * `perform` must take what the schema gives.
 *
 * Beside other decorators that replace the class, it goes on top.
 * @throws TSQ_WORKER_INVALID while the class is defined: no method `perform`, an unknown option, one of the wrong type
 */
export function Worker<Args extends readonly unknown[]>(
  settings: WorkerSettings & { readonly args: ZodType<Args, readonly unknown[]> },
): WorkerDecorator<Args>;
export function Worker(
  settings?: WorkerSettings & { readonly args?: undefined },
): WorkerDecorator<readonly never[]>;
export function Worker(settings: WorkerSettings = {}): WorkerDecorator<readonly never[]> {
  if (typeof settings === 'function') {
    throw new TsqError('TSQ_WORKER_INVALID', 'write @Worker() or @Worker({ ... }), with brackets');
  }
  return (target, context) => {
    checkClass(target);
    const given: unknown = context?.name ?? target.name;
    // A static member called `name` hides the class' own; some compilers take it for the context's too.
    const definition = definitionOf(typeof given === 'string' ? given : '', settings);
    // Not enumerable: nothing that copies or prints a class' properties meets it.
    Object.defineProperty(target, workerDefinition, { value: definition });
  };
}

function checkClass(target: unknown): void {
  if (typeof target !== 'function') {
    throw new TsqError('TSQ_WORKER_INVALID', `@Worker stands on a class, not on ${describeValue(target)}`);
  }
  if (workerDefinitionOf(target) !== undefined) {
    throw new TsqError('TSQ_WORKER_INVALID', `class ${target.name}: decorated with @Worker twice`);
  }
  const prototype: unknown = target.prototype;
  if (typeof prototype === 'object' && prototype !== null && 'perform' in prototype) {
    if (typeof prototype.perform === 'function') return;
  }
  const message = `class ${target.name}: expected a method \`perform\`, got none; a field (perform = () => {}) is not one`;
  throw new TsqError('TSQ_WORKER_INVALID', message);
}
