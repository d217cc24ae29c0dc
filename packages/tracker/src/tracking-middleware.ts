/**
 * Opt-in: keeps the claim of a tracked job while `perform` runs, and gives up every other one just before. It must be the
 * innermost of the chain: until `perform` begins, no job may be lost.
 */
import type { Job, ServerMiddleware } from '@tsq/core';

export interface TrackingPolicy {
  /** Track all jobs, whatever their class says. */
  readonly all?: boolean;
}

/** A job is tracked when its class says so; its payload's own `tracked` (true or false) wins. */
export function isTracked(job: Job, policy: TrackingPolicy = {}): boolean {
  if (policy.all === true) return true;
  const own = job.payload.has('tracked') ? job.payload.value('tracked') : undefined;
  return typeof own === 'boolean' ? own : job.options.tracked === true;
}

export function trackingMiddleware(policy: TrackingPolicy = {}): ServerMiddleware {
  return (job, next) => {
    if (!isTracked(job, policy)) job.unit.release();
    return next();
  };
}
