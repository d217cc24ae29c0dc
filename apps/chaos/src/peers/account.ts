/** Decides, from the journal alone, what became of the jobs: one and the same count for all contenders. */
import type { PeerEvent } from './peer-journal.js';

/** What was done to one process. */
export interface Incident {
  readonly pid: number;
  readonly atMicros: number;
}

export interface Account {
  /** Runs that the process had begun and not ended at that moment. */
  readonly inFlight: number;
  /** Jobs without any end. */
  readonly lost: number;
  readonly startedTwice: number;
  readonly finishedTwice: number;
  /** From the incident until the last of those that were in flight, and started again, had done so. undefined: none did. */
  readonly recoverySeconds: number | undefined;
}

export function account(events: readonly PeerEvent[], jobs: number, { pid, atMicros }: Incident): Account {
  const byJob = new Map<number, PeerEvent[]>();
  for (const event of events) byJob.set(event.job, [...(byJob.get(event.job) ?? []), event]);
  const count = (what: PeerEvent['what'], least: number) =>
    [...byJob.values()].filter((own) => own.filter((event) => event.what === what).length >= least).length;
  const inFlight = [...byJob.values()].filter((own) => {
    const before = own.filter((event) => event.pid === pid && event.atMicros <= atMicros);
    return before.at(-1)?.what === 'S';
  });
  const again = inFlight.flatMap((own) => {
    const next = own.find((event) => event.what === 'S' && event.atMicros > atMicros);
    return next === undefined ? [] : [next.atMicros];
  });
  return {
    inFlight: inFlight.length,
    lost: jobs - count('E', 1),
    startedTwice: count('S', 2),
    finishedTwice: count('E', 2),
    recoverySeconds: again.length === 0 ? undefined : (Math.max(...again) - atMicros) / 1e6,
  };
}

/** Runs that have begun and not ended, of processes that live. */
export function openRuns(events: readonly PeerEvent[], dead: ReadonlySet<number>): number {
  const open = new Set<string>();
  for (const { what, job, pid } of events) {
    if (what === 'S' && !dead.has(pid)) open.add(`${job} ${pid}`);
    else if (what === 'E') open.delete(`${job} ${pid}`);
  }
  return open.size;
}
