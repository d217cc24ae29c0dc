/**
 * The history: what happened, outside the Redis under test. One line for each event, one write each to files opened for
 * appending, one file for each process, so that kill -9 of the writer loses none. All clocks are one: the machine's monotonic.
 */

/** A job in a claim, as it came out of its queue. */
export interface ClaimedJob {
  readonly token: string;
  /** Absent in bytes that are no JSON object with a jid. */
  readonly jid?: string | undefined;
  /** Of the bytes without what a retry may write: see bytes-hash.ts. */
  readonly hash: string;
  /** Of the args as they stand in the bytes. */
  readonly args?: string | undefined;
}

export interface SentEnd {
  readonly token: string;
  /** `ended`: without a trace (done, discarded, or released just before an untracked job's perform). */
  readonly kind: 'ended' | 'retry' | 'dead' | 'requeue' | 'yield';
}

/** What a process writes of its calls to Redis. `sent`: the call leaves; it may or may not be executed. */
export type CallEvent =
  | {
      readonly event: 'claim';
      readonly owner: string;
      /** When the call left, in microseconds: the jobs were taken between that and this line. */
      readonly sentAt: number;
      readonly jobs: readonly ClaimedJob[];
    }
  | { readonly event: 'settle-sent'; readonly call: number; readonly ends: readonly SentEnd[] }
  | {
      readonly event: 'settle-answered';
      readonly call: number;
      /** false: it was declared dead, and what is not held any more was put back. */
      readonly registered: boolean;
      /** Positions among the ends that were sent. `notHeld`: nothing was written; they had ended before, or were put back. */
      readonly notHeld: readonly number[];
      readonly blocked: readonly number[];
    }
  | { readonly event: 'settle-unknown'; readonly call: number; readonly error: string }
  | { readonly event: 'recover-sent'; readonly call: number; readonly owner: string }
  | {
      readonly event: 'recover-answered';
      readonly call: number;
      readonly owner: string;
      readonly answer: 'alive' | 'dead';
      /** This call was the one that declared it dead. */
      readonly declared: boolean;
      readonly putBack: number;
      readonly left: number;
    }
  | { readonly event: 'buried'; readonly token: string }
  | { readonly event: 'registered' | 'lapsed' | 'retired'; readonly owner: string };

/** What a job writes of its run. */
export type RunEvent =
  | { readonly event: 'start'; readonly jid: string; readonly token: string; readonly attempt: number }
  /** `end`: its work is done. `fail`: it threw, on purpose. */
  | { readonly event: 'end' | 'fail'; readonly jid: string; readonly token: string }
  | { readonly event: 'abort'; readonly jid: string; readonly token: string; readonly reason: string };

/** What a producer writes: after the answer, or when none came. */
export interface EnqueueEvent {
  readonly event: 'enq';
  readonly jid: string;
  readonly outcome: 'acknowledged' | 'unknown';
  /** When it was sent, in microseconds: its line may come a good while after the answer. */
  readonly sentAt: number;
  readonly tracked: boolean;
  readonly args?: string | undefined;
}

/** What is done to the processes, and to Redis. */
export type FaultKind =
  | 'kill'
  | 'stop'
  | 'continue'
  | 'term'
  | 'exit'
  | 'network'
  | 'network-over'
  | 'redis-away'
  | 'redis-back'
  | 'redis-trouble'
  | 'redis-trouble-over'
  | 'lost-tail'
  | 'other';

export interface FaultEvent {
  readonly event: 'fault';
  readonly kind: FaultKind;
  /** The process that it was done to; absent: to all. */
  readonly target?: number | undefined;
  readonly text?: string | undefined;
  /** Of a lost tail: what was written to Redis since then may be gone, in microseconds. */
  readonly since?: number | undefined;
}

export type HistoryEvent = CallEvent | RunEvent | EnqueueEvent | FaultEvent;

export type HistoryLine = HistoryEvent & {
  /** Microseconds of the monotonic clock. */
  readonly at: number;
  /** Counts the lines of one writer. */
  readonly n: number;
  /** Who wrote it. */
  readonly pid: number;
};
