/** recover.lua, typed: one step of putting back what a dead instance held. */
import { keys, LuaScript } from '@tsq/core';
import { type InstanceId, type Keyspace, type Member, recoveryWindowSeconds } from '@tsq/tracker';
import type { Redis } from 'ioredis';

const script = new LuaScript(new URL('./recover.lua', import.meta.url));

/** One step moves no more, so that others are served in between. */
export const maxJobsPerStep = 500;

/** Where orphans join their queue: `next`, before all that waits there, or `last`, behind it. */
export type OrphanPosition = 'next' | 'last';

/** So many recoveries of one job within the window; with the next one it is poison. */
export const poisonLimit = 3;

/** A job that has killed its process once too often. It stays a claim of the dead instance until it is buried. */
export interface Poison {
  readonly member: Member;
  readonly bytes: Buffer;
  /** When it was recovered before, by Redis' clock. */
  readonly recoveredAtSeconds: readonly number[];
}

export interface RecoveryStep {
  /** This step was the one that declared the instance dead. */
  readonly declaredDead: boolean;
  /** Jobs that are back on their queues. */
  readonly recovered: number;
  /** Claims whose payload was gone: there is nothing to put back. */
  readonly missing: readonly string[];
  /** What keeps jobs from going back: keys of queues that hold no list, and members that name no queue. */
  readonly blockedBy: readonly string[];
  /** Claims that the dead instance holds still. */
  readonly remaining: number;
  readonly poison: readonly Poison[];
  /** Of the step's members the first so many; where payloads are big, those behind them wait for another step. */
  readonly lookedAt: number;
  /** When this was, by Redis' clock. */
  readonly atSeconds: number;
  /** Who is back on its queue, one for each of `recovered`. */
  readonly putBack: readonly string[];
}

/**
 * `alive`: the instance's heartbeat is there, and nothing was written.
 * @param members what may go back, at most 500 and in the order that `orphansOf` gives; none: it is only declared dead
 */
export async function recover(
  redis: Redis,
  keyspace: Keyspace,
  id: InstanceId,
  members: readonly Buffer[],
  position: OrphanPosition,
): Promise<RecoveryStep | 'alive'> {
  const scriptKeys = [
    keyspace.instances,
    keyspace.deadInstances,
    keyspace.instance(id),
    keyspace.jobs(id),
    keyspace.claims(id),
    keys.queues,
    keyspace.recoveries,
    keyspace.suspect(id),
    keyspace.vitals(id),
  ];
  const args = [
    ...[id, keyspace.jobPrefix, keys.queuePrefix, position],
    ...[poisonLimit, recoveryWindowSeconds],
    ...members,
  ];
  const reply = await script.run(redis, scriptKeys, args);
  if (Buffer.isBuffer(reply)) return 'alive';
  // The shape that the script's header gives.
  const [declared, recovered, missing, blockedBy, remaining, poison, lookedAt, atSeconds, putBack] =
    reply as [0 | 1, number, Buffer[], Buffer[], number, Buffer[], number, number, Buffer[]];
  return {
    declaredDead: declared === 1,
    recovered,
    missing: missing.map(String),
    blockedBy: blockedBy.map(String),
    remaining,
    poison: readPoison(poison),
    lookedAt,
    atSeconds,
    putBack: putBack.map(String),
  };
}

export function readPoison(raw: readonly Buffer[]): readonly Poison[] {
  const poison: Poison[] = [];
  for (let at = 0; at < raw.length; at += 3) {
    const [member, bytes, seconds] = raw.slice(at, at + 3);
    if (member === undefined || bytes === undefined) break;
    const recoveredAtSeconds = String(seconds).split(' ').map(Number);
    poison.push({ member: String(member) as Member, bytes, recoveredAtSeconds });
  }
  return poison;
}
