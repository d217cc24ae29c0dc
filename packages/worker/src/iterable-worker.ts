/**
 * Workers whose job is a walk over many items. The walk is stored as a cursor: a job that is interrupted, fails or is
 * killed goes on where it was last stored instead of beginning again, here or in a Ruby process that has the class too.
 */
import type { Job, JsonValue } from '@tsq/core';
import { iterateAtOnce } from './iterate-at-once.js';

/** Marks what has iterations; the runtime and the workers' project may have copies of this package of their own. */
export const iterations: unique symbol = Symbol.for('tsq.iterations') as never;

/** An item, and the cursor at which a later run begins with this very item. */
export type IterationStep<Item, Cursor> = readonly [item: Item, cursor: Cursor];

/** What an enumerator gives: an array of steps, a generator, an async generator. */
export type IterationSource<Item, Cursor> =
  | Iterable<IterationStep<Item, Cursor>>
  | AsyncIterable<IterationStep<Item, Cursor>>;

/** What a worker that iterates is made of. Of all hooks: what they throw fails the job, which is retried and goes on. */
export interface IterationSteps<Args extends readonly unknown[], Item, Cursor extends JsonValue> {
  /**
   * The items from `cursor` on, the one at it included; undefined: from the beginning. Returns undefined when there is nothing
   * to do.
   */
  enumerator(
    args: Args,
    cursor: Cursor | undefined,
  ): IterationSource<Item, Cursor> | undefined | Promise<IterationSource<Item, Cursor> | undefined>;
  /** Must bear to be called twice for an item: after a crash, for each one since the cursor was last stored. */
  eachIteration(item: Item, ...args: Args): unknown;
  /** Around each iteration: what it does not call does not happen. */
  aroundIteration?(iterate: () => Promise<void>): Promise<void>;
  /** Before the first item of the first run. */
  onStart?(): unknown;
  /** Before the first item of any later run. */
  onResume?(): unknown;
  /** After each run that got to an end or was interrupted or cancelled; not after one that threw. */
  onStop?(): unknown;
  /** When it was cancelled: it goes on nowhere, and is done. */
  onCancel?(): unknown;
  /** After the last item. */
  onComplete?(): unknown;
}

/** Of any worker that iterates, for whoever holds it without its types. */
export type AnyIterationSteps = IterationSteps<readonly unknown[], unknown, JsonValue>;

/**
 * The base of a class with `@Worker` that iterates:
 * `class Import extends IterableWorker<[path: string], Row, number> { enumerator(…) …; eachIteration(…) … }`.
 */
export abstract class IterableWorker<
  Args extends readonly unknown[] = readonly JsonValue[],
  Item = unknown,
  Cursor extends JsonValue = JsonValue,
> implements IterationSteps<Args, Item, Cursor>
{
  /** There while the runtime runs it. */
  declare readonly job: Job;

  abstract enumerator(
    args: Args,
    cursor: Cursor | undefined,
  ): IterationSource<Item, Cursor> | undefined | Promise<IterationSource<Item, Cursor> | undefined>;

  abstract eachIteration(item: Item, ...args: Args): unknown;

  aroundIteration(iterate: () => Promise<void>): Promise<void> {
    return iterate();
  }

  onStart(): unknown {
    return undefined;
  }

  onResume(): unknown {
    return undefined;
  }

  onStop(): unknown {
    return undefined;
  }

  onCancel(): unknown {
    return undefined;
  }

  onComplete(): unknown {
    return undefined;
  }

  /** Not to be overridden. The runtime does not call it; in a test it runs the whole walk, and stores nothing. */
  perform(...args: Args): Promise<void> {
    return iterateAtOnce(this[iterations], args);
  }

  get [iterations](): AnyIterationSteps {
    return this as unknown as AnyIterationSteps;
  }
}

/** What a worker's prototype, or what `defineIterableWorker` returned, is made of; undefined when it does not iterate. */
export function iterationsOf(worker: object): AnyIterationSteps | undefined {
  return iterations in worker ? (worker[iterations] as AnyIterationSteps) : undefined;
}
