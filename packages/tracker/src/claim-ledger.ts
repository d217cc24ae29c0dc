/**
 * What this process believes it holds, and the comparison with what Redis has noted for it. They differ when a reply was
 * lost on the way, or when the others took this instance for dead.
 */
import { Roster } from '@tsq/core';
import type { Redis } from 'ioredis';
import type { ClaimedUnit } from './claimed-unit.js';
import type { InstanceId, Keyspace, Member } from './keyspace.js';

export interface Comparison {
  /** How many claims Redis has noted. */
  readonly noted: number;
  /** Held here, and not noted there. */
  readonly missing: readonly ClaimedUnit[];
  /** Noted there, and unknown here. */
  readonly unknown: readonly Member[];
}

export class ClaimLedger {
  private readonly held = new Roster<ClaimedUnit>();
  private highestBatch = 0;

  constructor(private readonly keyspace: Keyspace) {}

  get size(): number {
    return this.held.size;
  }

  /** The highest number of a batch that it ever held a claim of, under whatever id: later ones get higher ones. */
  get lastBatch(): number {
    return this.highestBatch;
  }

  hold(unit: ClaimedUnit): ClaimedUnit {
    this.held.add(unit);
    if (unit.job.batch > this.highestBatch) this.highestBatch = unit.job.batch; // a stranger's member has none
    return unit;
  }

  strike(unit: ClaimedUnit): void {
    this.held.delete(unit);
  }

  /** Looks at each: for the rare cases. */
  has(member: Member): boolean {
    return [...this.held].some((unit) => unit.member === member);
  }

  claimsOf(owner: InstanceId): readonly ClaimedUnit[] {
    return [...this.held].filter((unit) => unit.owner === owner);
  }

  /**
   * Our side is taken down before Redis is asked, and read again when all that was `underWay` before has answered: the
   * connection keeps the order, so what was claimed or ended meanwhile is on neither list. A claim whose end or
   * release is under way is not missing: the reply to that decides.
   */
  async compare(redis: Redis, owner: InstanceId, underWay: readonly Promise<unknown>[]): Promise<Comparison> {
    const ours = this.claimsOf(owner);
    const asked = redis.smembers(this.keyspace.jobs(owner));
    await Promise.allSettled([asked, ...underWay]);
    const noted = new Set((await asked) as Member[]); // the set holds nothing else
    const known = new Set([...ours, ...this.held].map((unit) => unit.member));
    return {
      noted: noted.size,
      missing: ours.filter((unit) => !noted.has(unit.member) && !unit.ending && this.held.has(unit)),
      unknown: [...noted].filter((member) => !known.has(member)),
    };
  }
}
