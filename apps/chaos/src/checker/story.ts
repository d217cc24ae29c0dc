/** The history sorted by who it is about: each job's claims and runs, each process' and each instance's fate. */
import type { FaultKind, HistoryLine } from '../history/line.js';

export interface Claim {
  readonly token: string;
  readonly owner: string;
  /** When its call left, and when it was answered. */
  readonly sentAt: number;
  readonly at: number;
  readonly pid: number;
  readonly hash: string | undefined;
  readonly args: string | undefined;
  /** Known from a run only: the reply to its claim was lost, or its line was not written any more. */
  readonly isAdopted: boolean;
}

export interface Run {
  readonly token: string;
  readonly pid: number;
  readonly startAt: number;
  endAt: number | undefined;
  how: 'end' | 'fail' | undefined;
  abortAt: number | undefined;
}

export interface JobStory {
  readonly jid: string;
  enqueued: number;
  isTracked: boolean;
  isAcknowledged: boolean;
  enqueuedAt: number | undefined;
  enqueueSentAt: number | undefined;
  args: string | undefined;
  readonly claims: Claim[];
  readonly runs: Run[];
}

export type EndAnswer = 'accepted' | 'refused' | 'unknown';

export interface TokenEnd {
  readonly token: string;
  readonly kind: string;
  readonly sentAt: number;
  answer: EndAnswer;
}

export interface Recovery {
  readonly owner: string;
  readonly sentAt: number;
  /** undefined: no reply is written down; it may have been executed. */
  answeredAt: number | undefined;
  answer: 'alive' | 'dead' | undefined;
  declared: boolean;
  putBack: number;
  left: number;
  readonly by: number;
}

export interface Fault {
  readonly kind: FaultKind;
  readonly at: number;
  readonly target: number | undefined;
  readonly since: number | undefined;
  readonly text: string | undefined;
}

export interface Story {
  readonly jobs: ReadonlyMap<string, JobStory>;
  /** By token: each time that its end was sent. */
  readonly ends: ReadonlyMap<string, readonly TokenEnd[]>;
  readonly recoveries: readonly Recovery[];
  readonly faults: readonly Fault[];
  readonly buried: ReadonlySet<string>;
  /** When an instance ended itself, by id. */
  readonly retired: ReadonlyMap<string, number>;
  /** Which process an instance is, or was. */
  readonly pids: ReadonlyMap<string, number>;
  /** When each process registered first. */
  readonly registeredAt: ReadonlyMap<number, number>;
  /** Ends that were refused, because the instance had been declared dead. */
  readonly refused: number;
  /** The last sign of each process. */
  readonly lastLineAt: ReadonlyMap<number, number>;
  readonly endsAt: number;
}

/** The instance that a token belongs to: ids carry no dot behind their name's own, a token has two numbers more. */
export function ownerOf(token: string): string {
  const end = token.indexOf('@');
  return token.slice(0, end < 0 ? undefined : end).replace(/\.\d+\.\d+$/, '');
}

export function jobOf(jobs: Map<string, JobStory>, jid: string): JobStory {
  let job = jobs.get(jid);
  if (job === undefined) {
    job = {
      ...{ jid, enqueued: 0, isTracked: true, isAcknowledged: false, enqueuedAt: undefined },
      ...{ enqueueSentAt: undefined, args: undefined },
      ...{ claims: [], runs: [] },
    };
    jobs.set(jid, job);
  }
  return job;
}

export type Lines = readonly HistoryLine[];
