/** `pnpm model`: the exploration of the protocol in any size. Without a fault among the options, each fault alone. */
import { parseArgs } from 'node:util';
import { explore } from './explorer.js';
import { asBuilt, type Guard, guards, without } from './guards.js';
import type { Faults } from './state.js';

const faultNames = ['kills', 'lapses', 'losses', 'failures', 'stops', 'rollbacks'] as const;
const fault = { type: 'string', default: '0' } as const;
const { values } = parseArgs({
  options: {
    instances: { type: 'string', default: '2' },
    jobs: { type: 'string', default: '2' },
    /** The name of a guard, such as G2: a protocol that lacks it. */
    without: { type: 'string' },
    kills: fault,
    lapses: fault,
    losses: fault,
    failures: fault,
    stops: fault,
    rollbacks: fault,
  },
});
const [instances, jobs] = [Number(values.instances), Number(values.jobs)];
const removed = values.without;
const stands = removed === undefined ? asBuilt : without(guardNamed(removed));
const given = faultNames.filter((name) => values[name] !== '0');
const runs: readonly Partial<Faults>[] =
  given.length > 0
    ? [Object.fromEntries(given.map((name) => [name, Number(values[name])]))]
    : faultNames.map((name) => ({ [name]: 1 }));

for (const faults of runs) {
  const { states, steps, counterexample } = explore({ instances, jobs, faults }, stands);
  process.stdout.write(
    `${instances} x ${jobs} ${JSON.stringify(faults)}: ${states} states, ${steps} steps\n`,
  );
  if (counterexample === undefined) continue;
  process.exitCode = 1;
  process.stdout.write(`${counterexample.broken}\n  ${counterexample.steps.join('\n  ')}\n`);
}

function guardNamed(name: string): Guard {
  if (name in guards) return name as Guard;
  throw new Error(`expected one of ${Object.keys(guards).join(', ')}; got ${name}`);
}
