/** What a process has counted of the events that operators hear of: flat numbers that only grow, as a metrics library wants them. */
import type { ServerEventMap, ServerEventName } from './server-events.js';

/** Since the start of the process. */
export interface ServerCounters {
  readonly beatsMissed: number;
  /** How often others have declared this process dead. */
  readonly lapses: number;
  /** Instances that this process has declared dead, by the rule. */
  readonly deathsByHeartbeat: number;
  readonly deathsByConnections: number;
  /** Runs that put something back, and how long they took together. */
  readonly recoveries: number;
  readonly recoveryMs: number;
  readonly orphansRecovered: number;
  /** Claims of the dead whose payload was gone. */
  readonly orphansMissing: number;
  readonly poison: number;
  readonly claimsLost: number;
  /** Times in which the event loop did not turn, and how long they took together. */
  readonly stalls: number;
  readonly stallMs: number;
  /** How often a predicate of `server.tracking` failed. */
  readonly trackingPredicateFailures: number;
  /** Listeners that threw. */
  readonly listenerFailures: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const noCounts: ServerCounters = {
  beatsMissed: 0,
  lapses: 0,
  deathsByHeartbeat: 0,
  deathsByConnections: 0,
  recoveries: 0,
  recoveryMs: 0,
  orphansRecovered: 0,
  orphansMissing: 0,
  poison: 0,
  claimsLost: 0,
  stalls: 0,
  stallMs: 0,
  trackingPredicateFailures: 0,
  listenerFailures: 0,
};

const counterNames = Object.keys(noCounts) as (keyof ServerCounters)[]; // a literal has no other keys

type Increments = {
  readonly [N in ServerEventName]: (event: ServerEventMap[N]) => Partial<ServerCounters>;
};

const increments: Increments = {
  'beat-missed': () => ({ beatsMissed: 1 }),
  'instance-lapsed': () => ({ lapses: 1 }),
  'instance-dead': ({ rule }) =>
    rule === 'heartbeat' ? { deathsByHeartbeat: 1 } : { deathsByConnections: 1 },
  'orphans-recovered': ({ recovered, missing, durationMs }) => ({
    recoveries: 1,
    recoveryMs: durationMs,
    orphansRecovered: recovered,
    orphansMissing: missing,
  }),
  poison: () => ({ poison: 1 }),
  'claim-lost': () => ({ claimsLost: 1 }),
  stall: ({ durationMs }) => ({ stalls: 1, stallMs: durationMs }),
  'tracking-predicate-failed': () => ({ trackingPredicateFailures: 1 }),
};

export class EventCounts {
  private readonly counts: Writable<ServerCounters> = { ...noCounts };

  /** A snapshot. */
  get counters(): ServerCounters {
    return { ...this.counts };
  }

  count<N extends ServerEventName>(name: N, event: ServerEventMap[N]): void {
    const more = { ...noCounts, ...increments[name](event) };
    for (const key of counterNames) this.counts[key] += more[key];
  }

  countListenerFailure(): void {
    this.counts.listenerFailures += 1;
  }
}
