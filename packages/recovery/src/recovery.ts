/**
 * The fleet as recovery sees it, for who operates it: a command, a dashboard, a health check. It needs a connection and
 * nothing else, changes nothing, and asks for each instance alone: no keyspace is walked.
 */
import { type InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { listConnections } from './client-list.js';
import { isRefusal } from './connection-errors.js';
import { type FleetNotes, type InstanceNotes, inspectFleet } from './inspect.js';
import type { DeathRule } from './orphan-recovery.js';
import { type LastPass, lastPass, type PastRecovery, pastRecoveries } from './recovery-history.js';
import { readVitals, type Vitals } from './vitals.js';

/**
 * `alive`: its heartbeat is there. `lapsed`: it has none; the next pass declares it dead, unless it has grace. `dead`: it
 * was declared dead, and jobs of it have still to go back; afterwards it is in the list no more.
 */
export type Liveness = 'alive' | 'lapsed' | 'dead';

export interface InstanceReport {
  readonly id: InstanceId;
  readonly liveness: Liveness;
  /** Of one that is dead, when that is known: the note may be younger than the look. */
  readonly rule: DeathRule | undefined;
  /** Since the start of its process, as it noted that with a beat; undefined when it has left no note. */
  readonly ageMs: number | undefined;
  /** Since its last beat, by Redis' clock; undefined when its heartbeat has run out. */
  readonly beatAgeMs: number | undefined;
  /** Until its heartbeat runs out, when no other beat comes. */
  readonly beatLeftMs: number | undefined;
  /**
   * Of one that lapsed together with more than half of the fleet: how long it has to come back. 0: it has no grace, or not
   * any more.
   */
  readonly graceLeftMs: number;
  /** Claims that it holds: what it runs, and what it has claimed ahead. undefined: the key holds no set. */
  readonly jobs: number | undefined;
  /** Its connections to this Redis; undefined where `CLIENT LIST` is forbidden. 0 of a living one: cut off, or just killed. */
  readonly connections: number | undefined;
  /** What its process noted of itself with its last beat: memory, event loop, jobs. undefined: nothing, as one of another make. */
  readonly vitals: Vitals | undefined;
}

export interface FleetReport {
  /** When this was so, by Redis' clock. */
  readonly atSeconds: number;
  /** By id. */
  readonly instances: readonly InstanceReport[];
  /** Who recovers at this moment; undefined: nobody, which is the rule between two passes. */
  readonly lock: { readonly holder: InstanceId; readonly leftMs: number | undefined } | undefined;
  /** Whose turn it is to look at the fleet's connections; undefined between two turns, and where nobody looks. */
  readonly watcher: InstanceId | undefined;
  /** undefined: none for three intervals, so nobody recovers anything. */
  readonly lastPass: LastPass | undefined;
  /** Until the next pass at the latest; 0 when it is overdue; undefined without a last one. */
  readonly nextPassWithinMs: number | undefined;
  /** The last 20 of 72 hours, the newest first. */
  readonly recoveries: readonly PastRecovery[];
}

export interface RecoveryOptions {
  /** Of the fleet's own keys. Default `tsq`. */
  readonly namespace?: string;
}

export class Recovery {
  private readonly keyspace: Keyspace;

  /** @param redis any connection; this class opens none, and closes none */
  constructor(
    private readonly redis: Redis,
    options: RecoveryOptions = {},
  ) {
    this.keyspace = new Keyspace(options.namespace);
  }

  /**
   * Wire: one read-only script (4 commands for each instance), `CLIENT LIST`, `LRANGE`, and one `HGETALL` for
   * each instance and one for the last pass.
   * @throws what the connection throws; WRONGTYPE when `instances` or `instances:dead` holds no set
   */
  async inspect(): Promise<FleetReport> {
    const { redis, keyspace } = this;
    const [notes, pass, recoveries, connections] = await Promise.all([
      inspectFleet(redis, keyspace),
      lastPass(redis, keyspace),
      pastRecoveries(redis, keyspace),
      this.countConnections(),
    ]);
    const ttlMs = ttlOf(notes);
    const ids = notes.instances.map(({ id }) => id);
    const vitals = await readVitals(redis, keyspace, ids);
    const rules = new Map(recoveries.toReversed().map(({ instance, rule }) => [instance, rule]));
    const instances = notes.instances.map((instance) =>
      reportOf(instance, {
        ...{ notes, ttlMs, connections },
        ...{ rule: rules.get(instance.id), vitals: vitals.get(instance.id) },
      }),
    );
    return {
      atSeconds: notes.atSeconds,
      instances: instances.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
      lock: notes.lockHolder && { holder: notes.lockHolder, leftMs: notes.lockLeftMs },
      watcher: notes.watcher,
      lastPass: pass,
      nextPassWithinMs: pass && msUntil(pass.atSeconds + pass.intervalMs / 1_000, notes),
      recoveries,
    };
  }

  /** undefined: Redis does not tell. */
  private async countConnections(): Promise<ReadonlyMap<InstanceId, number> | undefined> {
    try {
      const counts = new Map<InstanceId, number>();
      for (const { instance } of await listConnections(this.redis)) {
        counts.set(instance, (counts.get(instance) ?? 0) + 1);
      }
      return counts;
    } catch (error) {
      if (isRefusal(error)) return undefined; // an ACL or a hosted Redis that forbids it: the report says so
      throw error;
    }
  }
}

interface Surroundings {
  readonly notes: FleetNotes;
  readonly ttlMs: number;
  readonly rule: DeathRule | undefined;
  readonly connections: ReadonlyMap<InstanceId, number> | undefined;
  readonly vitals: Vitals | undefined;
}

function reportOf(
  instance: InstanceNotes,
  { notes, ttlMs, rule, connections, vitals }: Surroundings,
): InstanceReport {
  const { id, beatAtSeconds, beatLeftMs, claims, lapsedAtSeconds } = instance;
  const liveness = livenessOf(instance);
  const isGraced = liveness === 'lapsed' && lapsedAtSeconds !== undefined;
  return {
    id,
    liveness,
    rule: liveness === 'dead' ? rule : undefined,
    ageMs: vitals && vitals.uptimeMs + msUntil(notes.atSeconds, { atSeconds: vitals.beatAtSeconds }),
    beatAgeMs:
      beatAtSeconds === undefined ? undefined : msUntil(notes.atSeconds, { atSeconds: beatAtSeconds }),
    beatLeftMs,
    graceLeftMs: isGraced ? msUntil(lapsedAtSeconds + ttlMs / 1_000, notes) : 0,
    jobs: claims,
    connections: connections && (connections.get(id) ?? 0),
    vitals,
  };
}

function livenessOf({ standing, beatAtSeconds }: InstanceNotes): Liveness {
  // One that has a heartbeat is not recovered, wherever it stands.
  if (beatAtSeconds !== undefined) return 'alive';
  return standing === 'dead' ? 'dead' : 'lapsed';
}

/** The TTL of the fleet, as its living show it; 0 when nobody lives, and then nobody grants any grace. */
function ttlOf({ atSeconds, instances }: FleetNotes): number {
  const ttls = instances.map(({ beatAtSeconds, beatLeftMs }) =>
    beatAtSeconds === undefined ? 0 : msUntil(atSeconds, { atSeconds: beatAtSeconds }) + (beatLeftMs ?? 0),
  );
  return Math.max(0, ...ttls);
}

function msUntil(seconds: number, { atSeconds }: { readonly atSeconds: number }): number {
  return Math.max(0, Math.round((seconds - atSeconds) * 1_000));
}
