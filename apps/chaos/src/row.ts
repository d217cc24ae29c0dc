/** One row of the fault matrix, as a case that runs: what is done, what must hold, and how both are seen. */
import type { Stage } from './stage/stage.js';

export interface Row {
  /** In the matrix, docs/reliability.md: 1 to 34. */
  readonly number: number;
  /** What is done, in a few words. */
  readonly fault: string;
  /** The invariants that must hold: `S1`, `L2`. */
  readonly holds: readonly string[];
  /** Why it can not be run on this machine; undefined or not there: it can. */
  missing?(): string | undefined;
  /** Throws on a violation: what was expected, and what came. What it started the stage ends. */
  run(stage: Stage): Promise<void>;
}
