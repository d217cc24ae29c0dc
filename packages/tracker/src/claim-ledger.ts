/**
 * What this process believes it holds, and the comparison with what Redis has noted for it. They differ when a reply was
 * lost on the way, or when the others took this instance for dead.
 */
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
  private readonly held = new Map<Member, ClaimedUnit>();

  constructor(private readonly keyspace: Keyspace) {}

  get size(): number {
    return this.held.size;
  }

  hold(unit: ClaimedUnit): ClaimedUnit {
    this.held.set(unit.member, unit);
    return unit;
  }

  strike(unit: ClaimedUnit): void {
    if (this.held.get(unit.member) === unit) this.held.delete(unit.member);
  }

  has(member: Member): boolean {
    return this.held.has(member);
  }

  claimsOf(owner: InstanceId): readonly ClaimedUnit[] {
    return [...this.held.values()].filter((unit) => unit.owner === owner);
  }

  /**
   * Our side is taken down before Redis is asked, and read again when all that was `underWay` before has answered: the
   * connection keeps the order, so what was claimed or ended meanwhile is on neither list. A claim whose end is under way
   * is not missing: the reply to that end decides.
   */
  async compare(redis: Redis, owner: InstanceId, underWay: Iterable<Promise<unknown>>): Promise<Comparison> {
    const ours = this.claimsOf(owner);
    const before = [...underWay];
    const asked = redis.smembers(this.keyspace.jobs(owner));
    await Promise.allSettled(before);
    const noted = new Set((await asked) as Member[]); // the set holds nothing else
    const known = new Set(ours.map((unit) => unit.member));
    return {
      noted: noted.size,
      missing: ours.filter((unit) => !noted.has(unit.member) && !unit.ending && this.has(unit.member)),
      unknown: [...noted].filter((member) => !known.has(member) && !this.has(member)),
    };
  }
}
