/** recover-gem.lua, typed: one step of putting back what a dead instance of the tracker gem held. */
import { createHash } from 'node:crypto';
import { type DeadSetLimits, keys, LuaScript, Payload, queueOf, TsqError } from '@tsq/core';
import { type InstanceId, type Keyspace, type Member, recoveryWindowSeconds } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { type OrphanPosition, type Poison, poisonLimit, readPoison } from './recover.js';

const script = new LuaScript(new URL('./recover-gem.lua', import.meta.url));

/** A job that the gem tracks, and its payload as it was read; `null`: there is none. */
export interface GemJob {
  readonly jid: string;
  readonly bytes: Buffer | null;
}

export interface GemRecoveryStep {
  /** Jobs that are back on their queues. */
  readonly recovered: number;
  /** Jids of those whose payload can't be read: they are in the dead set, with their bytes. */
  readonly unreadable: readonly string[];
  /** Jids that the gem tracked without a payload: there is nothing to put back. */
  readonly missing: readonly string[];
  /** Keys of another type, which keep jobs from going back. */
  readonly blockedBy: readonly string[];
  /** Jobs that the gem tracks no more, by this step. */
  readonly ended: number;
  /** Its `member` is the jid. */
  readonly poison: readonly Poison[];
}

export interface GemRecoverySettings {
  readonly position: OrphanPosition;
  readonly dead: DeadSetLimits;
}

/**
 * `alive`: its heartbeat is there. `own`: an instance of tsq bears this id. Nothing was written then.
 * @param others ids of the gem's other instances: a jid that one of them tracks too stays theirs
 */
export async function recoverGem(
  redis: Redis,
  keyspace: Keyspace,
  id: InstanceId,
  jobs: readonly GemJob[],
  others: readonly InstanceId[],
  { position, dead }: GemRecoverySettings,
): Promise<GemRecoveryStep | 'alive' | 'own'> {
  const scriptKeys = [
    ...[keyspace.instances, keyspace.deadInstances, keyspace.instance(id), keyspace.jobs(id)],
    ...[keys.queues, keys.dead, keyspace.recoveries],
    ...others.map((other) => keyspace.jobs(other)),
  ];
  const args = [
    ...[id, keyspace.jobPrefix, keys.queuePrefix, position, poisonLimit, recoveryWindowSeconds],
    ...[dead.timeoutSeconds, dead.maxJobs],
    ...jobs.flatMap(argumentsOf),
  ];
  const reply = await script.run(redis, scriptKeys, args);
  if (Buffer.isBuffer(reply)) return String(reply) === 'own' ? 'own' : 'alive';
  // The shape that the script's header gives.
  const [recovered, unreadable, missing, blockedBy, ended, poison] = reply as [
    number,
    Buffer[],
    Buffer[],
    Buffer[],
    number,
    Buffer[],
  ];
  return {
    recovered,
    unreadable: unreadable.map(String),
    missing: missing.map(String),
    blockedBy: [...new Set(blockedBy.map(String))],
    ended,
    poison: readPoison(poison),
  };
}

/** Where a payload's own words send it; `undefined` when it can't be read. */
export function gemQueueOf(bytes: Buffer): string | undefined {
  try {
    return queueOf(Payload.parse(bytes));
  } catch (error) {
    if (error instanceof TsqError) return undefined;
    throw error;
  }
}

function argumentsOf({ jid, bytes }: GemJob): readonly string[] {
  if (bytes === null) return [jid, 'queue', '', ''];
  const queue = gemQueueOf(bytes);
  const digest = createHash('sha1').update(bytes).digest('hex');
  return queue === undefined ? [jid, 'dead', '', digest] : [jid, 'queue', queue, digest];
}

/** What `buryPoison` calls a member is the jid, of a job of the gem. */
export function gemMember(jid: string): Member {
  return jid as Member;
}
