/**
 * How soon what a killed process held must be back (L1). 5 s is the promise, and holds where a row has the machine to itself; in
 * the tests four of them share two cores, with all other tests.
 */
import type { Stage } from '../stage/stage.js';

export function deathBoundMs({ size }: Stage): number {
  return size === 'full' ? 5_000 : 20_000;
}
