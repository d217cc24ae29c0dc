/**
 * Which jobs are tracked: survive the death of their process while they run. The first that says something decides: the
 * process (`all`), the job itself, its class, a predicate, its queue. When nobody does, the job is not tracked.
 *
 * What must stay true: in doubt a job is tracked. A predicate that fails must not cost a job its safety.
 */
import { describeValue, type Job, type Payload, type TrackingPredicate } from '@tsq/core';

export interface TrackingPolicy {
  /** Track all jobs, whatever they and their classes say. */
  readonly all?: boolean;
  /** Asked in their order, when neither the job nor its class says anything. */
  readonly predicates?: readonly TrackingPredicate[];
  /** The jobs of these queues, when nobody else says anything. */
  readonly queues?: ReadonlySet<string>;
  /** Called when a predicate has thrown, or answered what is no answer; the job is tracked then. Must not throw. */
  readonly onPredicateFailure?: (job: Job, error: unknown) => void;
}

export function isTracked(job: Job, policy: TrackingPolicy = {}): boolean {
  if (policy.all === true) return true;
  const said = saidByJob(job.payload) ?? job.options.tracked ?? saidByPredicates(job, policy);
  return said ?? policy.queues?.has(job.queue) ?? false;
}

function saidByJob(payload: Payload): boolean | undefined {
  const own = payload.has('tracked') ? payload.value('tracked') : undefined;
  if (typeof own === 'boolean') return own;
  // What a Ruby class that uses the tracker gem has in its payloads. Only `true` counts: the words may be another's.
  return isTrue(payload, 'assured_jobs') || isTrue(payload, 'processing') ? true : undefined;
}

function isTrue(payload: Payload, key: string): boolean {
  return payload.has(key) && payload.value(key) === true;
}

function saidByPredicates(job: Job, { predicates, onPredicateFailure }: TrackingPolicy): boolean | undefined {
  if (predicates === undefined) return undefined;
  for (const predicate of predicates) {
    try {
      const said = answerOf(predicate, job, onPredicateFailure);
      if (said !== undefined) return said;
    } catch (error) {
      onPredicateFailure?.(job, error);
      return true;
    }
  }
  return undefined;
}

/** @throws what the predicate throws, and TypeError */
function answerOf(
  predicate: TrackingPredicate,
  job: Job,
  onFailure: TrackingPolicy['onPredicateFailure'],
): boolean | undefined {
  const said: unknown = predicate(job);
  if (typeof said === 'boolean' || said === undefined) return said;
  // An async one: `perform` does not wait for it, and what it rejects with must not end the process.
  if (said instanceof Promise) said.catch((error: unknown) => onFailure?.(job, error));
  throw new TypeError(
    `expected true, false or undefined from a tracking predicate, at once and not as a promise; got ${describeValue(said)}`,
  );
}
