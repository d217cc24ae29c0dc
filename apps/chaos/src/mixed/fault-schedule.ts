/**
 * Which fault comes when. All of it follows from the seed: the kinds, their targets, their lengths, and their moments, which are
 * counted in jobs that have ended, so that a faster machine sees the same.
 */
import { Seeded } from '@tsq/core/test-support/outside-jest';
import type { Battlefield, FaultKind, Sphere } from './battlefield.js';
import { networkFaults } from './network-faults.js';
import { processFaults } from './process-faults.js';
import { redisFaults } from './redis-faults.js';

const bag = [...processFaults, ...networkFaults, ...redisFaults].flatMap((kind) =>
  Array<FaultKind>(kind.weight).fill(kind),
);

/** How many go on at the same time. */
const limits: Readonly<Record<Sphere, number>> = { process: 2, network: 2, redis: 1 };

export interface DoneFault {
  readonly number: number;
  /** Ended jobs at which it was due. */
  readonly dueAt: number;
  readonly name: string;
  text: string;
}

interface Due {
  readonly dueAt: number;
  readonly kind: FaultKind;
  readonly random: Seeded;
}

export class FaultSchedule {
  readonly done: DoneFault[] = [];
  /** Faults that could not be done: the suite's own failures. */
  readonly failures: string[] = [];
  private readonly random: Seeded;
  private readonly running: Record<Sphere, Set<Promise<void>>> = {
    ...{ process: new Set(), network: new Set(), redis: new Set() },
  };
  private next: Due;

  constructor(
    seed: number,
    /** Jobs between two faults, on the average. */
    private readonly gap: number,
    private readonly field: Omit<Battlefield, 'random'>,
  ) {
    this.random = new Seeded(seed);
    this.next = this.draw(gap);
  }

  /** Begins what is due when so many jobs have ended, as far as there is room for it. */
  advance(endedJobs: number): void {
    while (this.next.dueAt <= endedJobs && this.hasRoom(this.next.kind.sphere)) {
      const { kind, random, dueAt } = this.next;
      this.next = this.draw(dueAt + 1 + this.random.below(2 * this.gap));
      const entry: DoneFault = { number: this.done.length + 1, dueAt, name: kind.name, text: '' };
      this.done.push(entry);
      const all = this.running[kind.sphere];
      const run = this.run(kind, entry, random).finally(() => all.delete(run));
      all.add(run);
    }
  }

  /** Resolves when nothing goes on any more. */
  async over(): Promise<void> {
    await Promise.all(Object.values(this.running).flatMap((all) => [...all]));
  }

  private hasRoom(sphere: Sphere): boolean {
    return this.running[sphere].size < limits[sphere];
  }

  private draw(dueAt: number): Due {
    return { dueAt, kind: this.random.pick(bag), random: new Seeded(this.random.below(2 ** 31)) };
  }

  private async run(kind: FaultKind, entry: DoneFault, random: Seeded): Promise<void> {
    try {
      entry.text = await kind.run({ ...this.field, random });
    } catch (error) {
      entry.text = `failed: ${String(error)}`;
      this.failures.push(`fault ${entry.number}, ${kind.name}, could not be done: ${String(error)}`);
    }
  }
}
