/** bury-poison.lua, typed: what becomes of a job that has killed its process once too often. */
import {
  type DeadSetLimits,
  type Dialect,
  keys,
  LuaScript,
  Payload,
  TsqError,
  timestampJson,
} from '@tsq/core';
import type { InstanceId, Keyspace, Member } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { readWord } from './read-word.js';
import type { Poison } from './recover.js';

const script = new LuaScript(new URL('./bury-poison.lua', import.meta.url));

export interface BuriedPoison {
  /** undefined in a payload that can not be read, as `class` is. */
  readonly jid: string | undefined;
  readonly class: string | undefined;
  readonly queue: string;
  /** As it was popped. */
  readonly payload: Buffer;
  /** As it lies in `dead`: with its error fields, unless it can not be read. */
  readonly bytes: Buffer;
  /** `dropped`: it says `dead: false`, or its class does. */
  readonly fate: 'dead' | 'dropped';
  /** TSQ_JOB_POISON: what happened, where and when. */
  readonly error: TsqError;
}

/** What a class says of itself: whether its jobs may lie in the dead set. undefined: this process does not know it. */
export type DeadOption = (className: string) => boolean | undefined;

export interface BurialSettings {
  /** When the death was found, by Redis' clock. */
  readonly atSeconds: number;
  /** How that time is written. */
  readonly dialect: Dialect;
  readonly deadOption?: DeadOption | undefined;
}

/**
 * @param id the instance that died last
 * @param queue the one that the member names, unless it is given
 */
export function burialOf(
  id: InstanceId,
  poison: Poison,
  { dialect, deadOption, atSeconds }: BurialSettings,
  queue = poison.member.slice(poison.member.indexOf('@') + 1),
): BuriedPoison {
  const { bytes: payload } = poison;
  const error = errorOf(id, poison);
  const parsed = parse(payload);
  if (parsed === undefined) {
    return { jid: undefined, class: undefined, queue, payload, bytes: payload, fate: 'dead', error };
  }
  const bytes = parsed.edit({
    error_message: JSON.stringify(`${error.code}: ${error.message}`),
    error_class: JSON.stringify(error.name),
    [parsed.integer('retry_count') === undefined ? 'failed_at' : 'retried_at']: timestampJson(
      dialect,
      atSeconds * 1_000,
    ),
  });
  const fate = mayLieInDead(parsed, deadOption) ? 'dead' : 'dropped';
  return { jid: parsed.jid, class: parsed.class, queue, payload, bytes, fate, error };
}

/** The payload's own word goes first, as for a job whose retries are over. */
function mayLieInDead(payload: Payload, deadOption: DeadOption | undefined): boolean {
  const own = payload.raw('dead')?.toString();
  if (own !== undefined && own !== 'null') return own !== 'false';
  return payload.class === undefined || deadOption?.(payload.class) !== false;
}

/** `gone`: another recoverer was faster. `blocked`: `dead` holds another type; nothing was written. */
export async function buryPoison(
  redis: Redis,
  keyspace: Keyspace,
  id: InstanceId,
  member: Member,
  { fate, bytes }: BuriedPoison,
  dead: DeadSetLimits,
): Promise<'buried' | 'gone' | 'blocked'> {
  const scriptKeys = [keyspace.jobs(id), keys.dead, keyspace.recoveries, keyspace.job(member)];
  const args = [member, dead.timeoutSeconds, dead.maxJobs, fate, fate === 'dead' ? bytes : ''];
  return readWord(await script.run(redis, scriptKeys, args), ['buried', 'gone', 'blocked']);
}

function errorOf(id: InstanceId, { recoveredAtSeconds }: Poison): TsqError {
  const times = recoveredAtSeconds.map((second) => new Date(second * 1_000).toISOString());
  const message =
    `each process that ran it was killed or crashed: it was put back at ${times.join(', ')}, and now instance ${id} ` +
    'has died with it. It is not run again; retry it when its worker is mended';
  return new TsqError('TSQ_JOB_POISON', message);
}

function parse(bytes: Buffer): Payload | undefined {
  try {
    return Payload.parse(bytes);
  } catch (error) {
    if (error instanceof TsqError) return undefined; // it goes to `dead` as it is
    throw error;
  }
}
