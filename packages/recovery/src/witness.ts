/** What else must be so at both looks for a missing connection to mean a death: the server's side of the story. */
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';

export interface Witness {
  /** Names this run of this server: another one after a restart or a failover. */
  readonly run: string;
  /** Connections that the server has refused since it started, because it had no slot for them. */
  readonly rejected: number;
  readonly freeSlots: number;
  /** The heartbeats as they were; '' for none. */
  readonly beats: ReadonlyMap<InstanceId, string>;
}

/** What INFO does not say is NaN, and equal to nothing. */
export async function hearWitness(
  redis: Redis,
  keyspace: Keyspace,
  ids: readonly InstanceId[],
): Promise<Witness> {
  const beats = new Map<InstanceId, string>();
  if (ids.length > 0) {
    const values = await redis.mget(ids.map((id) => keyspace.instance(id)));
    ids.forEach((id, index) => {
      beats.set(id, values[index] ?? '');
    });
  }
  const info = await redis.info();
  const field = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
  const number = (name: string) => Number(field(name) ?? Number.NaN);
  return {
    run: field('run_id') ?? '',
    rejected: number('rejected_connections'),
    freeSlots: number('maxclients') - number('connected_clients'),
    beats,
  };
}
