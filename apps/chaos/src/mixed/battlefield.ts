/** What the faults of a mixed run act upon, and what one of them is. */
import type { Seeded } from '@tsq/core/test-support/outside-jest';
import type { Producer } from '../stage/producer.js';
import type { Stage } from '../stage/stage.js';
import type { Fleet } from './fleet.js';
import type { Servers } from './servers.js';

export interface Battlefield {
  readonly stage: Stage;
  readonly fleet: Fleet;
  readonly servers: Servers;
  readonly producer: Producer;
  /** Of this fault alone: what the others do meanwhile changes nothing about it. */
  readonly random: Seeded;
}

/** To which part of the world it is done: of those that are done to Redis, one goes on at a time. */
export type Sphere = 'process' | 'network' | 'redis';

export interface FaultKind {
  /** As the table names it. */
  readonly name: string;
  readonly sphere: Sphere;
  /** How often it comes, beside the others. */
  readonly weight: number;
  /** Resolves when it is over. Answers what exactly was done. */
  run(field: Battlefield): Promise<string>;
}
