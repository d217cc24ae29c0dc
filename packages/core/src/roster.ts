/**
 * Objects that are present, and come and go by the hundred thousand a second: what runs, what is held.
 *
 * A Set would say the same, at a price that `node --trace-gc` shows: each time V8 makes a set's table anew the old table points
 * at the new one and goes on holding what was in it. Once such a table has grown old, what came after it survives each small
 * collection until the next full one, jobs that ended long ago among it.
 */

export interface Seated {
  /** Where it stands in its roster; absent or -1: in none. Written by the roster alone, so an object is in one at a time. */
  seat?: number;
}

export class Roster<T extends Seated> implements Iterable<T> {
  private readonly seats: T[] = [];

  get size(): number {
    return this.seats.length;
  }

  has(one: T): boolean {
    return this.seats[one.seat ?? -1] === one;
  }

  add(one: T): void {
    if (this.has(one)) return;
    one.seat = this.seats.length;
    this.seats.push(one);
  }

  /** The last takes the place that becomes free: the order of those who stay is nobody's promise. */
  delete(one: T): void {
    const { seat } = one;
    if (seat === undefined || this.seats[seat] !== one) return;
    const last = this.seats.pop() ?? one;
    if (last !== one) {
      this.seats[seat] = last;
      last.seat = seat;
    }
    one.seat = -1;
  }

  /** In no order. Who deletes while he walks walks a copy. */
  [Symbol.iterator](): Iterator<T> {
    return this.seats[Symbol.iterator]();
  }
}
