/** docs/protocol.md, explored: all that can happen to a few instances and jobs when this or that goes wrong. */
import { describe, expect, test } from '@jest/globals';
import { readText } from '../workspace.js';
import { type Counterexample, explore } from './explorer.js';
import { type Guard, guards, without } from './guards.js';
import type { Faults, Size } from './state.js';

const sizes: readonly Size[] = [
  { instances: 2, jobs: 2, faults: { kills: 1, lapses: 1 } },
  { instances: 2, jobs: 2, faults: { lapses: 1, losses: 1 } },
  { instances: 2, jobs: 2, faults: { kills: 1, losses: 1 } },
  { instances: 2, jobs: 2, faults: { losses: 2 } },
  { instances: 2, jobs: 2, faults: { losses: 1, failures: 1 } },
  { instances: 2, jobs: 2, faults: { lapses: 1, stops: 1 } },
  { instances: 2, jobs: 2, faults: { rollbacks: 1 } },
  { instances: 3, jobs: 2, faults: { kills: 1 } },
  { instances: 3, jobs: 2, faults: { lapses: 1 } },
  { instances: 3, jobs: 2, faults: { losses: 1 } },
  { instances: 2, jobs: 3, faults: { kills: 1 } },
  { instances: 2, jobs: 3, faults: { lapses: 1 } },
  { instances: 2, jobs: 3, faults: { losses: 1 } },
];

/** What must go wrong for a guard to be missed, and which invariant breaks. */
const needed: Readonly<Record<Guard, readonly [Partial<Faults>, broken: string]>> = {
  G1: [{ lapses: 1, losses: 1 }, 'S3'],
  G2: [{ lapses: 1 }, 'S3'],
  G3: [{}, 'S4'],
  G4: [{ lapses: 1 }, 'S2'],
  G5: [{ lapses: 1 }, 'L1'],
  G6: [{ lapses: 1 }, 'S2'],
  G7: [{ lapses: 1 }, 'S2'],
  G8: [{ lapses: 1 }, 'S2'],
  G9: [{ losses: 1, failures: 1 }, 'S2'],
  G10: [{ rollbacks: 1 }, 'S2'],
  G11: [{ losses: 1 }, 'L1'],
  G12: [{ losses: 1 }, 'L1'],
  G13: [{ losses: 1 }, 'S2'],
  G14: [{ lapses: 1 }, 'S2'],
  G15: [{ stops: 1 }, 'L1'],
};

const report = (text: string) => process.stdout.write(`${text}\n`);
const told = ({ broken, steps }: Counterexample) => [broken, ...steps].join('\n  ');

describe('the protocol', () => {
  test.each(sizes)(
    'S1 to S5, L1 and L3 hold: $instances instances, $jobs jobs, $faults',
    (size) => {
      const { states, steps, counterexample } = explore(size);
      const { instances, jobs, faults } = size;
      report(`${instances} x ${jobs} ${JSON.stringify(faults)}: ${states} states, ${steps} steps`);
      expect(counterexample && told(counterexample)).toBeUndefined();
    },
    300_000,
  );

  test.each(Object.entries(guards) as [Guard, string][])(
    'needs %s, as its page says: %s',
    (guard, sentence) => {
      const [faults, broken] = needed[guard];
      const { counterexample } = explore({ instances: 2, jobs: 2, faults }, without(guard));
      if (counterexample === undefined) throw new Error(`nothing breaks without ${guard}`);
      report(`without ${guard}, ${counterexample.steps.length} steps to ${counterexample.broken}`);
      expect(counterexample.broken).toMatch(new RegExp(`^${broken}\\b`));
      const row = readText('docs/protocol.md')
        .split('\n')
        .find((line) => line.startsWith(`| ${guard} |`));
      expect(row).toMatch(`| ${guard} | ${sentence} |`);
      expect(row?.split(' | ').at(-1)).toBe(`${counterexample.steps.length} |`);
    },
    300_000,
  );
});
