/**
 * Opt-in: keeps the claim of a tracked job while `perform` runs, and gives up every other one just before. It must be the
 * innermost of the chain: until `perform` begins, no job may be lost.
 */
import type { ServerMiddleware } from '@tsq/core';
import { PredicateFailures } from './predicate-failures.js';
import { isTracked, type TrackingPolicy } from './tracking-policy.js';

export function trackingMiddleware(policy: TrackingPolicy = {}): ServerMiddleware {
  const failures = new PredicateFailures();
  const watched: TrackingPolicy = {
    ...policy,
    onPredicateFailure: (job, error) => {
      failures.note(job, error);
      policy.onPredicateFailure?.(job, error);
    },
  };
  return (job, next) => {
    if (!isTracked(job, watched)) job.unit.release();
    return next();
  };
}
