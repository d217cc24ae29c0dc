/** Which jobs are tracked, as far as a program decides it: beside what jobs and classes say of themselves. */
import type { TrackingPredicate } from '@tsq/core';

export class TrackingSetup {
  /** Track all jobs of this process, whatever they and their classes say. */
  all = false;
  /** Asked in their order, when neither the job nor its class says anything; the first answer counts. */
  readonly predicates: TrackingPredicate[] = [];
  /** The jobs of these queues, when nobody else says anything. */
  readonly queues: string[] = [];
}
