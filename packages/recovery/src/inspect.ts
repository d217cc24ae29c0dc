/** inspect.lua, typed: what Redis has noted of the fleet at one moment. Recovery (recovery.ts) says what that means. */
import { LuaScript } from '@tsq/core';
import type { InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';

const script = new LuaScript(new URL('./inspect.lua', import.meta.url));

/** Times are Redis'. */
export interface FleetNotes {
  readonly atSeconds: number;
  readonly lockHolder: InstanceId | undefined;
  /** Until the lock expires by itself; undefined when nobody holds it. */
  readonly lockLeftMs: number | undefined;
  /** Who looked last at the fleet's connections, while his turn lasts. */
  readonly watcher: InstanceId | undefined;
  readonly instances: readonly InstanceNotes[];
}

export interface InstanceNotes {
  readonly id: InstanceId;
  /** `dead`: it was declared dead, and holds claims still. */
  readonly standing: 'registered' | 'dead';
  readonly beatAtSeconds: number | undefined;
  /** Until its heartbeat expires, when no other beat comes. */
  readonly beatLeftMs: number | undefined;
  /** undefined when the key of its claims holds no set. */
  readonly claims: number | undefined;
  readonly lapsedAtSeconds: number | undefined;
}

/** Facts of one instance in the script's reply. */
const width = 6;

export async function inspectFleet(redis: Redis, keyspace: Keyspace): Promise<FleetNotes> {
  const none = '' as InstanceId; // the key of no id is what stands before one
  const keys = [
    keyspace.instances,
    keyspace.deadInstances,
    keyspace.lapses,
    keyspace.recoveryLock,
    keyspace.watch,
  ];
  const reply = await script.run(redis, keys, [keyspace.instance(none), keyspace.jobs(none)]);
  // The shape that the script's header gives.
  const [at, holder, lockLeft, watcher, fleet] = reply as [
    Buffer,
    Buffer,
    number,
    Buffer,
    (Buffer | number)[],
  ];
  const instances: InstanceNotes[] = [];
  for (let start = 0; start < fleet.length; start += width)
    instances.push(notesOf(fleet.slice(start, start + width)));
  return {
    atSeconds: Number(at),
    lockHolder: idOf(holder),
    lockLeftMs: present(lockLeft),
    watcher: idOf(watcher),
    instances,
  };
}

function notesOf([id, standing, beatAt, beatLeft, claims, lapsedAt]: readonly (
  | Buffer
  | number
)[]): InstanceNotes {
  return {
    id: String(id) as InstanceId,
    standing: String(standing) === 'dead' ? 'dead' : 'registered',
    beatAtSeconds: secondsOf(beatAt),
    beatLeftMs: present(Number(beatLeft)),
    claims: present(Number(claims)),
    lapsedAtSeconds: secondsOf(lapsedAt),
  };
}

function idOf(text: Buffer): InstanceId | undefined {
  return text.length === 0 ? undefined : (String(text) as InstanceId);
}

function secondsOf(text: Buffer | number | undefined): number | undefined {
  const seconds = Number.parseFloat(String(text));
  return Number.isNaN(seconds) ? undefined : seconds;
}

/** Redis answers -1 and -2 for what is not there. */
function present(number: number): number | undefined {
  return number < 0 ? undefined : number;
}
