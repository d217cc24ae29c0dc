/**
 * The ways to enqueue. A Client is one; `with` makes another that puts its options on every job, over the same connection.
 */
import { Bulk, type BulkOptions } from './bulk.js';
import { EnqueueError } from './enqueue-error.js';
import { checkOptionNames, type EnqueueOptions, mergeOptions } from './enqueue-options.js';
import { definitionOf, dueAtSeconds, dueInSeconds, invalid } from './job-item.js';
import type { JobSender } from './job-sender.js';
import type { AsJson, JsonValue } from './json.js';
import type { ArgsOf, WorkerReference } from './worker-contract.js';

/**
 * What follows the worker: `perform`'s own arguments, typed; for a name one array of JSON values. `Given` is what the
 * compiler finds there, so that an object may be of an interface.
 */
export type EnqueueArgs<W, Given = readonly JsonValue[]> = W extends string
  ? [args?: readonly JsonValue[] | (Given & JsonArgs<Given>)]
  : Extract<ArgsOf<W>, readonly unknown[]>;

/** The same for each job of a bulk. */
export type BulkArgs<W, Given = readonly (readonly JsonValue[])[]> = W extends string
  ? readonly (readonly JsonValue[])[] | (Given & JsonArgsList<Given>)
  : readonly ArgsOf<W>[];

type JsonArgs<Given> = Given extends readonly unknown[] ? AsJson<Given> : never;
type JsonArgsList<Given> = Given extends readonly (readonly unknown[])[] ? AsJson<Given> : never;

/**
 * All methods reject before anything is sent with TSQ_WORKER_INVALID (a class that is no worker), TSQ_JOB_INVALID (what
 * Sidekiq would refuse), TSQ_ARGS_INVALID (args that JSON or Ruby can't carry), TSQ_ARGS_REJECTED (args that do not fit
 * the worker's schema), TSQ_CLIENT_CLOSED, or with what a client middleware threw; and with an EnqueueError
 * (TSQ_REDIS_UNAVAILABLE, TSQ_REDIS_REFUSED) when Redis did not confirm: its `outcome` says whether the job may be there.
 */
export class Enqueuer {
  /** Made by `new Client` and by `with`. */
  constructor(
    /** @internal */
    protected readonly sender: JobSender,
    private readonly options: EnqueueOptions,
  ) {}

  /**
   * The same with these options for each job, over the worker's own and over those given before.
   * `client.with({ queue: 'low', tags: ['import'] }).enqueue(ResizeImage, url, 640)`
   * @throws TSQ_JOB_INVALID for an option of an unknown name
   */
  with(options: EnqueueOptions): Enqueuer {
    checkOptionNames(options);
    return new Enqueuer(this.sender, mergeOptions(this.options, options));
  }

  /**
   * Enqueues one job, to run as soon as a worker is free: `enqueue(ResizeImage, url, 640)`, or by the name of a class
   * `enqueue('Billing::ChargeWorker', [42n])`. Integers beyond 2^53 as BigInt.
   * @returns the jid, 24 lower-case hex characters; undefined when a client middleware dropped the job
   * Wire: `SADD queues NAME`, `LPUSH queue:NAME payload`, as Sidekiq 6.0 to 8.1.
   */
  async enqueue<W extends WorkerReference, const Given>(
    worker: W,
    ...args: EnqueueArgs<W, Given>
  ): Promise<string | undefined> {
    const { at } = this.options;
    return await this.send(worker, args, at === undefined ? undefined : dueAtSeconds(at));
  }

  /**
   * Schedules one job.
   * @param delaySeconds from now; 0 or less enqueues at once. From 1e9 on it is a point in time, as Sidekiq has it.
   * @returns as `enqueue`
   * Wire: one `ZADD schedule`, score in seconds with a fraction.
   */
  async enqueueIn<W extends WorkerReference, const Given>(
    delaySeconds: number,
    worker: W,
    ...args: EnqueueArgs<W, Given>
  ): Promise<string | undefined> {
    return await this.send(worker, args, dueInSeconds(delaySeconds));
  }

  /**
   * Schedules one job for a point in time; what is not after now is enqueued at once.
   * @param at a Date, or seconds since the epoch
   * @returns as `enqueue`
   */
  async enqueueAt<W extends WorkerReference, const Given>(
    at: Date | number,
    worker: W,
    ...args: EnqueueArgs<W, Given>
  ): Promise<string | undefined> {
    return await this.send(worker, args, dueAtSeconds(at));
  }

  /**
   * Enqueues many jobs of one worker, 1000 for each round trip, in order: `enqueueBulk(ResizeImage, [[url, 640], …])`.
   * Everything is checked before the first is sent. Batches are not atomic together: an EnqueueError of a later one says
   * in `pushed` what is there already and in `unsure` what may be.
   * @returns one entry for each job, in order: its jid, or undefined when a client middleware dropped it
   */
  async enqueueBulk<W extends WorkerReference, const Given>(
    worker: W,
    argsList: BulkArgs<W, Given>,
    bulk: BulkOptions = {},
  ): Promise<(string | undefined)[]> {
    return await new Bulk(this.sender, definitionOf(worker), this.options, argsList, bulk).send();
  }

  private async send(
    worker: WorkerReference,
    given: readonly unknown[],
    atSeconds: number | undefined,
  ): Promise<string | undefined> {
    const definition = definitionOf(worker);
    const args = typeof worker === 'string' ? argsOfName(worker, given) : given;
    const job = this.sender.make(definition, this.options, args, atSeconds);
    // Nothing is awaited without middleware: what was called before `close` is pushed before it.
    if (this.sender.hasMiddleware && !(await this.sender.passesMiddleware(job))) return undefined;
    this.sender.check(definition, job);
    const failure = await this.sender.push(job);
    if (failure === undefined) return job.jid;
    throw new EnqueueError(failure, [], failure.outcome === 'unknown' ? [job.jid] : []);
  }
}

/** The types say so too; a caller without them must not lose args in silence. */
function argsOfName(name: string, given: readonly unknown[]): readonly unknown[] {
  const [args = []] = given;
  if (given.length > 1 || !Array.isArray(args)) {
    throw invalid(
      `args of a job of '${name}'`,
      'one array that holds them all',
      given.length > 1 ? given : args,
    );
  }
  return args;
}
