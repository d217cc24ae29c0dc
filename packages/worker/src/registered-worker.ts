/** A worker, ready to run: what can be found out about it once was found out when it was added. */
import {
  describeValue,
  type FunctionWorker,
  type Job,
  type JsonValue,
  parseArgs,
  TsqError,
  type WorkerClass,
  type WorkerDefinition,
  type WorkerOptions,
  workerDefinitionOf,
} from '@tsq/core';
import { iterations, iterationsOf } from './iterable-worker.js';
import type { IterableJob, IterationRunner } from './iteration-runner.js';

/** What a registry takes: a class decorated with `@Worker`, or what `defineWorker` returned. */
export type AnyWorker = WorkerClass | FunctionWorker;

/** Runs a job's code with args that fit; that of a worker that iterates by way of a runner. */
type Perform = (job: IterableJob, args: readonly unknown[], runner?: IterationRunner) => unknown;

export class RegisteredWorker {
  readonly name: string;
  readonly options: WorkerOptions;
  readonly timeoutMs: number | undefined;

  /** @param source for messages: `class ResizeImage` or `defineWorker("ResizeImage")`, and its file: `… in workers/images.ts` */
  constructor(
    definition: WorkerDefinition,
    readonly source: string,
    readonly perform: Perform,
  ) {
    this.name = definition.name;
    this.options = definition.options;
    const { timeout } = definition.options;
    this.timeoutMs = timeout === undefined ? undefined : Math.ceil(timeout * 1_000);
  }

  /**
   * What `perform` gets: the schema's output, or the args themselves when there is no schema.
   * @throws TSQ_ARGS_REJECTED, with the argument's place: `args[1]`
   */
  checkArgs(args: readonly JsonValue[]): readonly unknown[] {
    const schema = this.options.args;
    return schema === undefined ? args : parseArgs(this.name, schema, args);
  }
}

/**
 * @param file that it came from, where that is known
 * @throws TSQ_WORKER_INVALID neither a decorated class nor a function worker
 */
export function registered(worker: AnyWorker, file?: string): RegisteredWorker {
  const place = file === undefined ? '' : ` in ${file}`;
  const definition = workerDefinitionOf(worker);
  if (definition === undefined) {
    const message = `expected a class decorated with @Worker or what defineWorker returned, got ${describeValue(worker)}; a subclass does not inherit @Worker`;
    throw new TsqError('TSQ_WORKER_INVALID', message);
  }
  if (typeof worker === 'function') {
    const perform = iterations in worker.prototype ? iterateOfClass(worker) : performOfClass(worker);
    return new RegisteredWorker(definition, `class ${worker.name}${place}`, perform);
  }
  const steps = iterationsOf(worker);
  if (steps !== undefined) {
    const source = `defineIterableWorker("${definition.name}")${place}`;
    const perform: Perform = (job, args, runner) => runnerOf(runner).run(job, steps, args);
    return new RegisteredWorker(definition, source, perform);
  }
  return new RegisteredWorker(
    definition,
    `defineWorker("${definition.name}")${place}`,
    performOfFunction(worker, definition),
  );
}

interface Instance {
  job?: unknown;
  perform(...args: readonly unknown[]): unknown;
}

function performOfClass(worker: WorkerClass): Perform {
  const instanceFor = instancesOf(worker);
  return (job, args) => instanceFor(job).perform(...args);
}

function iterateOfClass(worker: WorkerClass): Perform {
  const instanceFor = instancesOf(worker);
  return (job, args, runner) => {
    const steps = iterationsOf(instanceFor(job));
    return steps === undefined ? undefined : runnerOf(runner).run(job, steps, args);
  };
}

/** A new instance for each job, with the job on it. */
function instancesOf(worker: WorkerClass): (job: Job) => Instance {
  // The compiler has held `perform` to the schema's output; without a schema the producer answers for the types.
  const Class = worker as unknown as new () => Instance;
  // A class that has a `job` of its own keeps it.
  const isTaken = 'job' in Class.prototype;
  return (job) => {
    const instance = new Class();
    if (!isTaken && instance.job === undefined) seat(instance, job);
    return instance;
  };
}

function runnerOf(runner: IterationRunner | undefined): IterationRunner {
  if (runner !== undefined) return runner;
  const message =
    'this worker iterates, and the Processor was given no IterationRunner (`iterations`) to store its cursor with';
  throw new TsqError('TSQ_WORKER_INVALID', message);
}

/** Not enumerable: a worker that is logged or copied does not drag its job along. A frozen instance goes without. */
function seat(instance: object, job: Job): void {
  Reflect.defineProperty(instance, 'job', {
    value: job,
    configurable: true,
    writable: true,
    enumerable: false,
  });
}

function performOfFunction(worker: FunctionWorker, definition: WorkerDefinition): Perform {
  const perform = 'perform' in worker ? worker.perform : undefined;
  if (typeof perform !== 'function') {
    const message = `worker "${definition.name}": expected what defineWorker returned, got an object without perform`;
    throw new TsqError('TSQ_WORKER_INVALID', message);
  }
  return (_job, args) => Reflect.apply(perform, undefined, args);
}
