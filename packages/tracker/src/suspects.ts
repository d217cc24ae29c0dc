/**
 * Jobs that were recovered so often that one of them may be what kills its processes. One of them runs at a time, and its start
 * is on record before: so when the process dies, it is known which one it was, and no other is taken for it.
 *
 * What must stay true: a suspect is given out only after Redis has noted its start, and no other while it has not ended.
 */
import { LuaScript, unavailable } from '@tsq/core';
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

/**
 * Sent behind a claim; what it answers goes to `Suspects.sift`.
 * @param afterBatch only later claims are looked at; 0: all
 */
export function suspectsCall(keyspace: Keyspace, id: InstanceId, afterBatch: number): ScriptCall {
  const keys = [keyspace.recoveries, keyspace.jobs(id)];
  return { script: suspectsScript, keys, args: [keyspace.jobPrefix, recoveryWindowSeconds, afterBatch] };
}

export class Suspects {
  private waiting: ClaimedUnit[] = [];
  private running: ClaimedUnit | undefined;

  /** @param onFree called when one has ended and another may start */
  constructor(
    private readonly keyspace: Keyspace,
    private readonly onFree: () => void,
  ) {}

  /** One of these queues waits, and none runs. */
  isReady(queues: readonly string[]): boolean {
    return this.running === undefined && this.next(queues) !== undefined;
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

  /**
   * The one of these queues whose turn it is, its start noted.
   * @param isWanted asked of each before its start is noted; of one that is not, the caller has disposed
   * @throws TSQ_REDIS_UNAVAILABLE; it is still the next
   */
  async start(
    redis: Redis,
    queues: readonly string[],
    isWanted: (unit: ClaimedUnit) => Promise<boolean>,
  ): Promise<ClaimedUnit | undefined> {
    for (;;) {
      const unit = this.next(queues);
      if (unit === undefined || this.running !== undefined) return undefined;
      this.running = unit; // before Redis is asked: another capsule may ask for one meanwhile
      const isStarted = (await isWanted(unit)) && (await this.noteStart(redis, unit));
      const at = this.waiting.indexOf(unit);
      if (at >= 0) this.waiting.splice(at, 1);
      if (isStarted && at >= 0) return unit;
      this.free(unit); // taken away meanwhile, or lost: the comparison with Redis' books tells who waits for it
    }
  }

  private async noteStart(redis: Redis, unit: ClaimedUnit): Promise<boolean> {
    unit.whenEnded = () => {
      this.free(unit);
      this.onFree();
    };
    if (unit.isLost) return false;
    const keys = [this.keyspace.jobs(unit.owner), this.keyspace.suspect(unit.owner)];
    try {
      return String(await startScript.run(redis, keys, [unit.member])) === 'started';
    } catch (error) {
      this.free(unit);
      throw unavailable('the start of a job that was recovered before could not be noted', error);
    }
  }

  private free(unit: ClaimedUnit): void {
    if (this.running === unit) this.running = undefined;
  }

  private next(queues: readonly string[]): ClaimedUnit | undefined {
    return this.waiting.find((unit) => queues.includes(unit.queue));
  }

  /** Gives away all that wait. */
  takeAll(): readonly ClaimedUnit[] {
    return this.waiting.splice(0);
  }
}
