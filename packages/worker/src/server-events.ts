/**
 * What operators hear of while a process runs, as events and as counters: `configureServer` gives `server.events` to the
 * user's code. Nothing that a listener does can harm what it hears of: it is called after the fact, and what it throws is
 * logged and counted.
 */
import { didYouMean, type Logger, TsqError } from '@tsq/core';
import { logThrown } from './log-thrown.js';
import type { PoisonJob } from './poison-handlers.js';
import { EventCounts, type ServerCounters } from './server-counters.js';

/** By which rule an instance is dead: its heartbeat ran out, or all its connections were closed. */
export type DeathRule = 'heartbeat' | 'connections';

/** Each event by its name. An instance is one start of one process; its id stands in every log line about it. */
export interface ServerEventMap {
  /** A beat of this process did not go through when it was due: Redis was away (`failed`), or the process stood still (`late`). */
  readonly 'beat-missed': {
    readonly instance: string;
    readonly reason: 'failed' | 'late';
    /** Since the last beat that went through. */
    readonly sinceBeatMs: number | undefined;
    /** After so long without one the others take this process for dead. */
    readonly ttlMs: number;
    readonly error: string | undefined;
  };
  /** This process was declared dead by others, or Redis has lost its keys; it goes on as `fresh`. */
  readonly 'instance-lapsed': { readonly lapsed: string; readonly fresh: string };
  /** This process has declared another one dead, which held so many jobs. */
  readonly 'instance-dead': {
    readonly instance: string;
    readonly rule: DeathRule;
    readonly jobs: number;
    /** In words, from its last note. */
    readonly how?: string | undefined;
  };
  /** This process has put back jobs of a dead one. */
  readonly 'orphans-recovered': {
    readonly instance: string;
    readonly rule: DeathRule;
    readonly recovered: number;
    /** Claims whose payload was gone. */
    readonly missing: number;
    readonly poison: number;
    /** Claims that could not go back yet. */
    readonly remaining: number;
    readonly durationMs: number;
    /** From its last note, if it left one: in words, and in a sentence for each job that is back (at most 50). */
    readonly postMortem?:
      | {
          readonly how: string;
          readonly likelyCause: 'memory' | 'heap' | 'unknown';
          readonly jobs: readonly {
            readonly class: string;
            readonly jid: string;
            readonly sentence: string;
          }[];
        }
      | undefined;
  };
  /** This process has found a job whose process died each time, and taken it out of the line. */
  readonly poison: PoisonJob;
  /** A job that this process has, or had, in hand is another's: this process was declared dead. Its AbortSignal has fired. */
  readonly 'claim-lost': {
    readonly instance: string;
    readonly queue: string;
    /** undefined in a payload that can not be read, as `class` is. */
    readonly jid: string | undefined;
    readonly class: string | undefined;
  };
  /** The event loop has not turned for so long, and does again: no other job got on, no signal was heard. No job was lost by it. */
  readonly stall: {
    readonly durationMs: number;
    /** As they ran when it began, the likely culprit first, at most ten of `jobsInFlight`. */
    readonly jobs: readonly { readonly class: string; readonly jid: string; readonly runningMs: number }[];
    readonly jobsInFlight: number;
    /** It was longer than the stallTimeout, and the beats ended during it. */
    readonly gaveUp?: boolean;
  };
  /** A predicate of `server.tracking` threw, or gave no answer; the job is tracked. */
  readonly 'tracking-predicate-failed': {
    readonly jid: string;
    readonly class: string;
    readonly queue: string;
    readonly error: unknown;
  };
}

export type ServerEventName = keyof ServerEventMap;

export type ServerEventListener<N extends ServerEventName> = (
  event: ServerEventMap[N],
) => void | Promise<void>;

type Listeners = { readonly [N in ServerEventName]: Set<ServerEventListener<N>> };

export class ServerEvents {
  private readonly listeners: Listeners = {
    'beat-missed': new Set(),
    'instance-lapsed': new Set(),
    'instance-dead': new Set(),
    'orphans-recovered': new Set(),
    poison: new Set(),
    'claim-lost': new Set(),
    stall: new Set(),
    'tracking-predicate-failed': new Set(),
  };
  private readonly counts = new EventCounts();

  constructor(private readonly logger: Logger) {}

  /** What happened since the start of this process; events that nobody listens to count too. */
  get counters(): ServerCounters {
    return this.counts.counters;
  }

  /** Of all events that there are. */
  get names(): readonly ServerEventName[] {
    return Object.keys(this.listeners) as ServerEventName[]; // a literal has no other keys
  }

  /** @throws TSQ_EVENT_UNKNOWN */
  on<N extends ServerEventName>(name: N, listener: ServerEventListener<N>): this {
    this.listenersOf(name).add(listener);
    return this;
  }

  /** @throws TSQ_EVENT_UNKNOWN */
  off<N extends ServerEventName>(name: N, listener: ServerEventListener<N>): this {
    this.listenersOf(name).delete(listener);
    return this;
  }

  /** For the parts of a process that have something to tell. Never throws. */
  emit<N extends ServerEventName>(name: N, event: ServerEventMap[N]): void {
    this.counts.count(name, event);
    for (const listener of this.listeners[name]) this.call(name, listener, event);
  }

  private call<N extends ServerEventName>(
    name: N,
    listener: ServerEventListener<N>,
    event: ServerEventMap[N],
  ): void {
    const failed = (thrown: unknown) => this.failed(name, thrown);
    try {
      const ended = listener(event);
      if (ended !== undefined) Promise.resolve(ended).catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  }

  private failed(event: ServerEventName, thrown: unknown): void {
    this.counts.countListenerFailure();
    logThrown(this.logger, 'error', { event }, thrown, 'A listener of the server events failed');
  }

  private listenersOf<N extends ServerEventName>(name: N): Set<ServerEventListener<N>> {
    if (Object.hasOwn(this.listeners, name)) return this.listeners[name];
    const hint = didYouMean(String(name), Object.keys(this.listeners));
    throw new TsqError('TSQ_EVENT_UNKNOWN', `no event is called "${String(name)}"${hint}`);
  }
}
