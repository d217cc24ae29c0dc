/**
 * Jobs that were recovered so often that one of them may be what kills its processes. One of them runs at a time, and its start
 * is on record before: so when the process dies, it is known which one it was, and no other is taken for it.
 *
 * What must stay true: a suspect is given out only after Redis has noted its start, and no other while it has not ended.
 */
import { LuaScript } from '@tsq/core';
import type { Redis } from 'ioredis';
import type { ClaimedUnit } from './claimed-unit.js';
import type { InstanceId, Keyspace } from './keyspace.js';
import type { ScriptCall } from './round-trip.js';

const suspectsScript = new LuaScript(new URL('./suspects.lua', import.meta.url));
const startScript = new LuaScript(new URL('./start-suspect.lua', import.meta.url));

/** Recoveries count for so long: 72 hours. */
export const recoveryWindowSeconds = 72 * 3_600;

/** With so many suspects in hand nothing more is claimed: the queues are the better place to wait. */
const mostWaiting = 100;

/** Sent behind a claim; what it answers goes to `Suspects.sift`. */
export function suspectsCall(keyspace: Keyspace, id: InstanceId): ScriptCall {
  const keys = [keyspace.recoveries, keyspace.jobs(id)];
  return { script: suspectsScript, keys, args: [keyspace.jobPrefix, recoveryWindowSeconds] };
}

export class Suspects {
  private waiting: ClaimedUnit[] = [];
  private running: ClaimedUnit | undefined;

  /** @param onFree called when one has ended and another may start */
  constructor(
    private readonly keyspace: Keyspace,
    private readonly onFree: () => void,
  ) {}

  /** One waits, and none runs. */
  get isReady(): boolean {
    return this.running === undefined && this.waiting.length > 0;
  }

  get isFull(): boolean {
    return this.waiting.length >= mostWaiting;
  }

  /** Keeps the suspects, and answers the others. @param members what suspectsCall answered */
  sift(units: readonly ClaimedUnit[], members: readonly Buffer[]): readonly ClaimedUnit[] {
    if (members.length === 0) return units;
    const suspect = new Set(members.map(String));
    const kept = units.filter((unit) => suspect.has(unit.member));
    this.waiting.push(...kept);
    return units.filter((unit) => !kept.includes(unit));
  }

  /** The one whose turn it is, its start noted; after an error it is still the next. */
  async start(redis: Redis): Promise<ClaimedUnit | undefined> {
    while (this.isReady) {
      const [unit] = this.waiting;
      if (unit === undefined) return undefined;
      const keys = [this.keyspace.jobs(unit.owner), this.keyspace.suspect(unit.owner)];
      const isStarted =
        !unit.isLost && String(await startScript.run(redis, keys, [unit.member])) === 'started';
      if (!this.waiting.includes(unit)) continue; // taken away meanwhile
      this.waiting.shift();
      if (!isStarted) continue; // the comparison with Redis' books tells who waits for it
      this.running = unit;
      unit.whenEnded = () => {
        this.running = undefined;
        this.onFree();
      };
      return unit;
    }
    return undefined;
  }

  /** Gives away all that wait. */
  takeAll(): readonly ClaimedUnit[] {
    return this.waiting.splice(0);
  }
}
