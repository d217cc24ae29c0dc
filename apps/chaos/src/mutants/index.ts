/**
 * `pnpm chaos:mutants`: is each mutant found? First by the rows that are for it, then by the mixed run. 0 when all are, 1 when one
 * survives: then a test is missing.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { rows } from '../rows/index.js';
import { mutantVariable } from './mutant-text.js';
import { mutants } from './mutants.js';

const options = new Command('chaos:mutants')
  .description('The product with one guard taken out, or two steps swapped: what the chaos suite must find')
  .option('--only <numbers>', 'of the list, from 0: 3,4')
  .option('--seed <n>', 'of the mixed runs', Number, 1)
  .option('--mixed-runs <n>', 'how many, where no row finds it', Number, 3)
  .parse()
  .opts<{ only?: string; seed: number; mixedRuns: number }>();

const chaos = fileURLToPath(new URL('../index.js', import.meta.url));
const mixed = ['--minutes', '0.6', '--processes', '4', '--gap', '10', '--jobs-per-second', '120'];

/** The first line that says what was found; undefined when nothing was. @param mutant undefined: the product as it is */
function foundBy(mutant: number | undefined, args: readonly string[]): string | undefined {
  const env = mutant === undefined ? process.env : { ...process.env, [mutantVariable]: String(mutant) };
  const { status, stdout, stderr } = spawnSync(process.execPath, [chaos, ...args], { env, encoding: 'utf8' });
  if (status === 0) return undefined;
  const broken =
    /^(lost|duplicated|overlap|twice recovered|false death|late|bytes|leak|not drained|Error).*$/m;
  return (broken.exec(stdout) ?? broken.exec(stderr))?.[0].slice(0, 160) ?? stderr.slice(-160).trim();
}

const healthy = new Map<number, boolean>();

/** A row that fails without a mutant finds nothing. */
function isHealthy(row: number): boolean {
  const known = healthy.get(row);
  if (known !== undefined) return known;
  const found = foundBy(undefined, ['--rows', String(row)]);
  if (found !== undefined) process.stdout.write(`row ${row} fails by itself, and is passed over: ${found}\n`);
  healthy.set(row, found === undefined);
  return found === undefined;
}

function hunt(number: number): string | undefined {
  const known = (mutants[number]?.rows ?? []).filter((row) => rows.some((each) => each.number === row));
  for (const row of known) {
    const found = isHealthy(row) ? foundBy(number, ['--rows', String(row)]) : undefined;
    if (found !== undefined) return `row ${row}: ${found}`;
  }
  for (let run = 0; run < options.mixedRuns; run += 1) {
    const seed = options.seed + run;
    const found = foundBy(number, [...mixed, '--seed', String(seed)]);
    if (found !== undefined) return `mixed run, seed ${seed}: ${found}`;
  }
  return undefined;
}

const chosen = options.only?.split(',').map(Number) ?? [...mutants.keys()];
const survivors = chosen.filter((number) => {
  const found = hunt(number);
  process.stdout.write(
    `${found === undefined ? 'SURVIVED' : 'found'}  ${mutants[number]?.name}: ${found ?? ''}\n`,
  );
  return found === undefined;
});
process.stdout.write(`${chosen.length - survivors.length} of ${chosen.length} mutants were found\n`);
process.exitCode = survivors.length === 0 ? 0 : 1;
