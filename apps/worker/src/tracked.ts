/** Which jobs the process tracks: what its settings say, together with what the worker files have added. */
import type { TrackingPolicy } from '@tsq/tracker';
import type { ServerSetup } from '@tsq/worker';
import type { Config } from './config.js';

export function trackingPolicyOf(
  { tracked, trackedQueues }: Config,
  { tracking, events }: ServerSetup,
): TrackingPolicy {
  return {
    all: tracked === 'all' || tracking.all,
    predicates: tracking.predicates,
    queues: new Set([...trackedQueues, ...tracking.queues]),
    onPredicateFailure: ({ jid, class: name, queue }, error) =>
      events.emit('tracking-predicate-failed', { jid, class: name, queue, error }),
  };
}
