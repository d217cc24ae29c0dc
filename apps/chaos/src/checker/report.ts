/** What the checker found. */

export type Rule =
  /** Acknowledged, and neither done nor anywhere. */
  | 'lost'
  /** Done twice, and no fault explains it. */
  | 'duplicated'
  /** Two runs at once, and no fault explains it. */
  | 'overlap'
  /** Taken again, though what was taken before had not been given back. */
  | 'twice recovered'
  /** A living process was declared dead, and no fault explains it (S4). */
  | 'false death'
  /** Put back later than the bound. */
  | 'late'
  /** The bytes are not those that were enqueued. */
  | 'bytes'
  /** A key of the namespace is left. */
  | 'leak'
  /** Nobody enqueued it. */
  | 'unexpected';

export interface Violation {
  readonly rule: Rule;
  /** jid, instance or key. */
  readonly subject: string;
  readonly text: string;
}

/** What explains that a job ran again though it had been done. */
export type Cause =
  /** Its process died before Redis had confirmed that it was done. */
  | 'death before settle'
  /** Its instance was declared dead while it ran on: a freeze, a partition. */
  | 'false death'
  /** Redis lost its last writes. */
  | 'lost tail'
  /** It was put back at the deadline of a stop, and ran to its end all the same. */
  | 'stop'
  /** An untracked job whose end got no answer. */
  | 'reply lost';

export interface RecoveryTime {
  readonly owner: string;
  /** By which rule it could be found: its process was gone, or only its heartbeat ran out. */
  readonly path: 'death' | 'ttl';
  readonly ms: number;
  readonly jobs: number;
  /** Nothing else was the matter meanwhile, with Redis or with those who could recover. */
  readonly isUndisturbed: boolean;
}

export interface Report {
  readonly violations: readonly Violation[];
  readonly jobs: number;
  readonly tracked: number;
  /** Jobs whose enqueue got no answer: they may be there. */
  readonly unacknowledged: number;
  readonly done: number;
  readonly dead: number;
  /** Untracked jobs whose process died in their perform: at-most-once. */
  readonly lostUntracked: number;
  /** Acknowledged in writes that Redis lost. */
  readonly lostWithTail: number;
  readonly duplicates: Readonly<Record<Cause, number>>;
  /** Two runs at once, by what explains it. */
  readonly overlaps: number;
  readonly refusedSettles: number;
  readonly recoveries: readonly RecoveryTime[];
  readonly faults: Readonly<Record<string, number>>;
}
