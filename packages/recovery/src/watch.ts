/**
 * Fast detection: a process that is killed has lost its connections within milliseconds, while its heartbeat vouches for it
 * until its TTL is over. All of the fleet take turns at looking; what was seen is in Redis, so that the death of who looked
 * last is found like any other.
 *
 * What must stay true: it only ever ends a heartbeat early (condemn.lua), and what follows is fenced as any other death. In
 * every doubt it does nothing, and the TTL is the rule: see `doubt`.
 */
import { type Logger, LuaScript, pause } from '@tsq/core';
import type { Instance, InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { findConnections, listConnections, type SeenConnection } from './client-list.js';
import { condemn } from './condemn.js';
import { takeLock } from './recovery-lock.js';
import { hearWitness, type Witness } from './witness.js';

const sightingsScript = new LuaScript(new URL('./sightings.lua', import.meta.url));

export interface WatchOptions {
  readonly redis: Redis;
  /** What CLIENT LIST calls `redis`. */
  readonly connectionName: string;
  readonly keyspace: Keyspace;
  readonly instance: Instance;
  readonly logger: Logger;
  /** Between two tries for a turn. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** Between the two looks. A process that lives and lost its connections tries to connect after 100, 200 and 400 ms. */
const confirmMs = 1_000;
/** The same where Redis has refused connections for want of a slot: longer than the longest pause between two tries. */
const longConfirmMs = 2_500;

/** The fleet at one look. */
interface Fleet {
  /** Registered, and noted as seen. */
  readonly seen: ReadonlyMap<InstanceId, Sighting>;
  /** Registered, and nobody has noted a connection yet. */
  readonly unseen: readonly InstanceId[];
}

interface Sighting {
  readonly run: string;
  readonly clientId: string;
}

export class Watch {
  readonly intervalMs: number;
  /** They have no connection that Redis would show: behind a proxy that names its own. */
  private nameless: readonly InstanceId[] = [];
  private lastDoubt = '';

  constructor(private readonly options: WatchOptions) {
    this.intervalMs = options.intervalMs;
  }

  /** For so long nobody else looks. Shorter than the interval, so that a turn is not missed by a hair. */
  get turnMs(): number {
    return Math.ceil((this.intervalMs * 2) / 3);
  }

  /** One look, and another one when somebody is missing. Answers those whose heartbeat it ended: recover may declare them. */
  async look(): Promise<readonly InstanceId[]> {
    const { redis, keyspace } = this.options;
    const fleet = await this.readFleet();
    const suspects = await this.missingOf(fleet);
    const strangers = fleet.unseen.filter((id) => !this.nameless.includes(id));
    if (suspects.length + strangers.length === 0) return [];
    const before = await hearWitness(redis, keyspace, suspects);
    const connections = await listConnections(redis);
    await this.note(connections, before.run);
    this.nameless = without(fleet.unseen, connections);
    const missing = without(suspects, connections);
    return missing.length === 0 ? [] : await this.lookAgain(fleet, missing, before);
  }

  private async lookAgain(
    fleet: Fleet,
    missing: readonly InstanceId[],
    before: Witness,
  ): Promise<readonly InstanceId[]> {
    const { redis, keyspace, instance, signal } = this.options;
    const pauseMs = before.rejected === 0 ? confirmMs : longConfirmMs;
    await takeLock(redis, keyspace, 'watch', instance.id, pauseMs + this.turnMs);
    await pause(pauseMs, signal);
    if (signal.aborted) return [];
    const connections = await listConnections(redis);
    const after = await hearWitness(redis, keyspace, []);
    const gone = without(missing, connections).filter((id) => fleet.seen.get(id)?.run === after.run);
    if (gone.length === 0) return [];
    const together = without([...fleet.seen.keys()], connections).length;
    const doubt =
      doubtOf(before, after) ?? this.ownDoubt(connections) ?? massDoubt(together, fleet.seen.size);
    this.noteDoubt(doubt, gone);
    return doubt === undefined ? await this.condemnAll(gone, before) : [];
  }

  private async condemnAll(gone: readonly InstanceId[], before: Witness): Promise<readonly InstanceId[]> {
    const { redis, keyspace, logger } = this.options;
    const condemned: InstanceId[] = [];
    for (const id of gone) {
      const verdict = await condemn(redis, keyspace, id, before.beats.get(id) ?? '');
      if (verdict === 'condemned') condemned.push(id);
      logger.info({ instance: id, verdict }, 'an instance has lost all its connections');
    }
    return condemned;
  }

  private async readFleet(): Promise<Fleet> {
    const { redis, keyspace, instance } = this.options;
    const registered = (await redis.smembers(keyspace.instances)) as InstanceId[];
    const noted = await redis.hgetall(keyspace.sightings);
    const seen = new Map<InstanceId, Sighting>();
    for (const id of registered) {
      const [run, clientId] = noted[id]?.split(':') ?? [];
      if (run !== undefined && clientId !== undefined) seen.set(id, { run, clientId });
    }
    // It is never missing: it looks.
    const unseen = registered.filter((id) => !seen.has(id) && id !== instance.id);
    return { seen, unseen };
  }

  /** Asks for one connection of each: in a quiet fleet that is all a look costs. */
  private async missingOf({ seen }: Fleet): Promise<readonly InstanceId[]> {
    const clientIds = [...seen.values()].map(({ clientId }) => clientId);
    const found = await findConnections(this.options.redis, clientIds);
    return without([...seen.keys()], found).filter((id) => id !== this.options.instance.id);
  }

  private async note(connections: readonly SeenConnection[], run: string): Promise<void> {
    const { redis, keyspace } = this.options;
    const sightings = new Map(connections.map(({ instance, clientId }) => [instance, `${run}:${clientId}`]));
    await sightingsScript.run(redis, [keyspace.instances, keyspace.sightings], [...sightings].flat());
  }

  /** Who has just connected himself may have been cut off together with the others. */
  private ownDoubt(connections: readonly SeenConnection[]): string | undefined {
    const { connectionName } = this.options;
    const own = connections.find(({ name }) => name === connectionName);
    if (own === undefined) return 'the list of connections does not show who looks';
    const steadySeconds = 1 + Math.ceil((2 * this.intervalMs + confirmMs) / 1_000);
    return own.ageSeconds < steadySeconds ? 'who looks has been connected for too short a time' : undefined;
  }

  private noteDoubt(doubt: string | undefined, instances: readonly InstanceId[]): void {
    const text = doubt === undefined ? '' : `${doubt}: ${instances.join(' ')}`;
    if (text !== '' && text !== this.lastDoubt) {
      const what =
        'instances have lost all their connections, yet only their heartbeat will tell if they died';
      this.options.logger.info({ instances, doubt }, what);
    }
    this.lastDoubt = text;
  }
}

function without(ids: readonly InstanceId[], connections: readonly SeenConnection[]): readonly InstanceId[] {
  const there = new Set(connections.map(({ instance }) => instance));
  return ids.filter((id) => !there.has(id));
}

/** A living process may be unable to connect when the server restarted, or had no slot for it. */
function doubtOf(before: Witness, after: Witness): string | undefined {
  if (before.run !== after.run) return 'Redis was restarted between two looks';
  if (!(before.freeSlots > 0 && after.freeSlots > 0)) return 'Redis has no free connection (maxclients)';
  return before.rejected === after.rejected ? undefined : 'Redis refused connections between two looks';
}

/** Processes die one by one; what takes many at once is rather a network, or a proxy. */
function massDoubt(together: number, fleet: number): string | undefined {
  if (together <= Math.max(1, Math.floor(fleet / 3))) return undefined;
  return `${together} of ${fleet} instances are missing together`;
}
