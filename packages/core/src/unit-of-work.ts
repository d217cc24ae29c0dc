/**
 * The contract between who takes jobs from Redis (a Fetcher) and who runs them (the runtime). The runtime knows nothing
 * of claims, and the tracker nothing of handlers; both know this file. `itIsAFetcher` of @tsq/core/test-support tests
 * whoever signs it.
 */
import type { Component } from './component.js';
import type { TsqError } from './errors.js';

/** How a job can end. Each is written in one step with the end of its claim. */
export type Outcome =
  /** `perform` returned. */
  | { readonly kind: 'done' }
  /** It failed, and wants neither a retry nor the dead set (`retry: false`, `dead: false`); or its time was over (`expires_in`). */
  | { readonly kind: 'discarded' }
  /** It did not run to its end here: the same bytes go back to the head of the line they came from. */
  | { readonly kind: 'requeue' }
  /** It had its turn and is not at its end: it goes to the back of the line it came from. `bytes`: as they are to stand there. */
  | { readonly kind: 'yield'; readonly bytes: Buffer }
  /** It failed and runs again `delaySeconds` (fraction allowed) from now, by Redis' clock. `bytes`: with its error fields. */
  | { readonly kind: 'retry'; readonly bytes: Buffer; readonly delaySeconds: number }
  /** It goes to the dead set. `bytes`: with its error fields, or as they were popped when they can't be read. */
  | { readonly kind: 'dead'; readonly bytes: Buffer };

/** `lost`: another instance owns the job by now (or this instance was declared dead); nothing was written. */
export type Settlement = 'settled' | 'lost';

/** One job, taken and not yet settled. */
export interface UnitOfWork {
  /** Name of the queue that it was taken from, without the `queue:` prefix. */
  readonly queue: string;
  /** The payload as Redis gave it; never re-encoded. */
  readonly bytes: Buffer;
  /** Of a Fetcher that numbers its claims: the instance that claimed it, and which claim of it. A dead one's jobs are told apart by them. */
  readonly owner?: string;
  readonly batch?: number;
  readonly index?: number;
  /**
   * Called at most once, when the claim turns out to be lost while the job runs. Who runs the job sets it; at first it is
   * undefined.
   */
  whenLost: ((reason: TsqError) => void) | undefined;
  /**
   * Ends the claim with its outcome. The first call counts; later ones answer as the first did. It rejects only with
   * TSQ_REDIS_UNAVAILABLE, when the Fetcher was stopped before Redis could be told.
   */
  settle(outcome: Outcome): Promise<Settlement>;
  /**
   * Gives the claim up, just before `perform` of an untracked job: from here on at-most-once. It is not waited for: it
   * travels with the next batch. `settle` may still follow, and its outcome is written without a claim.
   */
  release(): void;
}

/** Takes jobs from queues. Its `stop` writes what was settled and not yet sent. */
export interface Fetcher extends Component {
  /**
   * Takes up to `max` jobs from `queues` in the order given (names without prefix); `[]` when there are none. Paused
   * queues are passed over. The caller owns what it gets, and settles each. Calls may overlap: a process has one Fetcher, and
   * asks once for each of its capsules. A call gets no job of a queue that it did not name.
   * @throws TsqError TSQ_REDIS_UNAVAILABLE, TSQ_INSTANCE_UNREGISTERED: nothing was taken, or it will be found later by the
   * Fetcher itself; call again after a while.
   */
  fetch(queues: readonly string[], max: number): Promise<readonly UnitOfWork[]>;
  /**
   * Resolves when one of `queues` may have a job, when `signal` aborts, or after a while of the Fetcher's choosing. Never
   * rejects.
   */
  wait(queues: readonly string[], signal: AbortSignal): Promise<void>;
}
