/**
 * What there is at a moment: Redis, the processes, and what is on the way between them. Plain values that are never
 * changed, so that the explorer can keep as many as it likes.
 */

/** `A0` is process A under its first id, `A1` under its second. */
export type Id = string;

/** The bytes of a job are all that it is. */
export type Bytes = string;

/** One claim: a member of jobs:ID and the payload under job:MEMBER, which no script parts. */
export interface Claim {
  readonly owner: Id;
  readonly batch: number;
  readonly index: number;
  readonly queue: string;
  readonly bytes: Bytes;
}

/** The keys that the scripts touch. Sets are sorted lists. */
export interface Redis {
  /** Each as LRANGE shows it: pushed at the head, taken from the tail. */
  readonly queues: Readonly<Record<string, readonly Bytes[]>>;
  /** SET `queues` */
  readonly queueNames: readonly string[];
  readonly paused: readonly string[];
  readonly retry: readonly Bytes[];
  readonly dead: readonly Bytes[];
  readonly instances: readonly Id[];
  /** SET `instances:dead` */
  readonly declaredDead: readonly Id[];
  /** Whose `instance:ID` is there. */
  readonly beats: readonly Id[];
  /** Whose `vitals:ID` is there. */
  readonly vitals: readonly Id[];
  /** `claims:ID` */
  readonly batches: Readonly<Record<Id, number>>;
  readonly claims: readonly Claim[];
  /** No key: the jobs whose end left no trace. What Redis forgets of its writes, this forgets too. */
  readonly finished: readonly Bytes[];
}

export const emptyRedis: Redis = {
  queues: {},
  queueNames: [],
  paused: [],
  retry: [],
  dead: [],
  instances: [],
  declaredDead: [],
  beats: [],
  vitals: [],
  batches: {},
  claims: [],
  finished: [],
};

export type OutcomeKind = 'done' | 'released' | 'retry' | 'dead' | 'requeue' | 'yield';

/** A job in a process' hands. */
export interface Unit {
  readonly claim: Claim;
  /** Chosen when its end was first sent; sent again until an answer comes. */
  readonly outcome: OutcomeKind | undefined;
  /** Only the model knows: a settle of this very claim was executed. */
  readonly ended: boolean;
}

/** Executed by Redis; its answer is on the way. */
export type Answer =
  | { readonly to: 'claim'; readonly claims: readonly Claim[] }
  | { readonly to: 'settle'; readonly claim: Claim; readonly answer: 'settled' | 'lost' };

export interface Process {
  readonly name: string;
  /** How many ids it had. */
  readonly ids: number;
  readonly phase: 'down' | 'starting' | 'up' | 'stopping';
  /** Whether `register` was sent for its id. */
  readonly registered: boolean;
  readonly units: readonly Unit[];
  /** The highest batch number that it knows, of its id. */
  readonly lastBatch: number;
  /** On the connection that claims, in the order in which they come. A claim may follow a settle at once, no other call. */
  readonly answers: readonly Answer[];
  /** On the heartbeat's connection. */
  readonly beat: 'renewed' | 'lapsed' | undefined;
}

/** A request whose sender has given it up, or is dead; Redis may execute it at any time, or never. */
export type Straggler =
  | { readonly call: 'claim'; readonly id: Id; readonly lastBatch: number }
  | { readonly call: 'settle'; readonly claim: Claim; readonly outcome: OutcomeKind }
  | { readonly call: 'beat'; readonly id: Id; readonly mode: BeatMode };

export type BeatMode = 'register' | 'renew';

/** How often each may happen; what is left of it, in a state. */
export interface Faults {
  readonly kills: number;
  /** Heartbeats of the living that run out: a frozen host, a partition, a blocked process. */
  readonly lapses: number;
  /** Answers, and requests, that are lost or come late. */
  readonly losses: number;
  /** Jobs that fail and are retried. */
  readonly failures: number;
  /** Processes that are told to stop before the work is done. */
  readonly stops: number;
  /** Restarts of Redis that lose the last writes. */
  readonly rollbacks: number;
}

export interface State {
  readonly redis: Redis;
  readonly processes: readonly Process[];
  readonly stragglers: readonly Straggler[];
  readonly left: Faults;
  /** What is on Redis' disk, once a restart that loses the rest is to come. */
  readonly disk: Redis | undefined;
  /** Redis has forgotten writes: processes may be told of outcomes that are no more. */
  readonly rolledBack: boolean;
  /** What a process was told, and is not so. */
  readonly untruth: string | undefined;
}

export interface Size {
  readonly instances: number;
  readonly jobs: number;
  readonly faults: Partial<Faults>;
}

export const queue = 'q';

export function initialState({ instances, jobs, faults }: Size): State {
  const none: Faults = { kills: 0, lapses: 0, losses: 0, failures: 0, stops: 0, rollbacks: 0 };
  return {
    redis: { ...emptyRedis, queues: { [queue]: jobNames(jobs) }, queueNames: [queue] },
    processes: [...'ABCDEFGH'].slice(0, instances).map(newProcess),
    stragglers: [],
    left: { ...none, ...faults },
    disk: undefined,
    rolledBack: false,
    untruth: undefined,
  };
}

export function idOf(process: Process): Id {
  return `${process.name}${process.ids - 1}`;
}

export function lives(process: Process): boolean {
  return process.phase !== 'down';
}

export function sameClaim(one: Claim, other: Claim): boolean {
  return one.owner === other.owner && one.batch === other.batch && one.index === other.index;
}

export function memberOf({ owner, batch, index, queue: name }: Claim): string {
  return `${owner}.${batch}.${index}@${name}`;
}

function jobNames(count: number): readonly Bytes[] {
  return [...'abcdefgh'].slice(0, count);
}

function newProcess(name: string): Process {
  const nothing = { units: [], lastBatch: 0, answers: [], beat: undefined };
  return { name, ids: 0, phase: 'down', registered: false, ...nothing };
}
