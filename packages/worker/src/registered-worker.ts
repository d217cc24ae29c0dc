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

/** What a registry takes: a class decorated with `@Worker`, or what `defineWorker` returned. */
export type AnyWorker = WorkerClass | FunctionWorker;

/** Runs a job's code with args that fit. */
type Perform = (job: Job, args: readonly unknown[]) => unknown;

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
    return new RegisteredWorker(definition, `class ${worker.name}${place}`, performOfClass(worker));
  }
  return new RegisteredWorker(
    definition,
    `defineWorker("${definition.name}")${place}`,
    performOfFunction(worker, definition),
  );
}

/** A new instance for each job, with the job on it. */
function performOfClass(worker: WorkerClass): Perform {
  // The compiler has held `perform` to the schema's output; without a schema the producer answers for the types.
  const Class = worker as unknown as new () => {
    job?: unknown;
    perform(...args: readonly unknown[]): unknown;
  };
  // A class that has a `job` of its own keeps it.
  const isTaken = 'job' in Class.prototype;
  return (job, args) => {
    const instance = new Class();
    if (!isTaken && instance.job === undefined) seat(instance, job);
    return instance.perform(...args);
  };
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
