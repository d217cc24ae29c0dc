/**
 * What `CLIENT LIST` says of tsq's connections. Each is called `tsq:ID:what-for`; Redis drops one within milliseconds of the
 * end of its process, while the connection of a frozen host stays.
 */
import type { InstanceId } from '@tsq/tracker';
import type { Redis } from 'ioredis';

export interface SeenConnection {
  readonly clientId: string;
  readonly name: string;
  readonly instance: InstanceId;
  readonly ageSeconds: number;
}

/** All of tsq's: it costs Redis a line for each connection, whoever's. */
export async function listConnections(redis: Redis): Promise<readonly SeenConnection[]> {
  return read(await redis.call('CLIENT', 'LIST', 'TYPE', 'normal'));
}

/** Of these alone, as far as they exist. */
export async function findConnections(
  redis: Redis,
  clientIds: readonly string[],
): Promise<readonly SeenConnection[]> {
  if (clientIds.length === 0) return [];
  return read(await redis.call('CLIENT', 'LIST', 'ID', ...clientIds));
}

const line = /^id=(?<clientId>\d+) .* name=(?<name>tsq:(?<instance>[^: ]+):\S*) age=(?<age>\d+) /gm;

function read(list: unknown): SeenConnection[] {
  return Array.from(String(list).matchAll(line), ({ groups = {} }) => ({
    clientId: groups.clientId ?? '',
    name: groups.name ?? '',
    instance: (groups.instance ?? '') as InstanceId,
    ageSeconds: Number(groups.age),
  }));
}
