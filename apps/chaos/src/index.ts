/** `pnpm chaos`: 0 when all that had to hold has held, 1 when something did not, 2 when it can not be run. */
import { Command } from 'commander';
import { runMixed } from './mixed/mixed-run.js';
import { summaryOf, tableOf } from './mixed/table.js';
import { rows } from './rows/index.js';
import { runRows } from './rows/run-rows.js';

const options = new Command('chaos')
  .description('Real processes, a real Redis and real faults: every job accounted for')
  .option(
    '--rows <numbers>',
    'rows of the fault matrix, each once: 1,2 or all; without it all faults are mixed',
  )
  .option('--at-once <n>', 'rows that run at once', Number, 2)
  .option('--seed <n>', 'of all choices', Number, Math.floor(Math.random() * 1e6))
  .option('--minutes <n>', 'how long faults are mixed', Number, 5)
  .option('--processes <n>', 'workers', Number, 5)
  .option('--jobs-per-second <n>', 'at most', Number, 80)
  .option('--gap <jobs>', 'jobs between two faults, on the average', Number, 40)
  .option('--full', 'the rows at the size that the matrix says, not the small one of the tests')
  .option('--json', 'the result as one JSON object, and nothing else on stdout')
  .parse()
  .opts<{
    rows?: string;
    atOnce: number;
    seed: number;
    minutes: number;
    processes: number;
    jobsPerSecond: number;
    gap: number;
    full?: true;
    json?: true;
  }>();

const startedAt = performance.now();

function say(line: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4);
  process.stderr.write(`${seconds} s  ${line}\n`);
}

async function mixed(): Promise<number> {
  say(`seed ${options.seed}: ${options.processes} processes for ${options.minutes} minutes`);
  const result = await runMixed({ ...options, say });
  process.stdout.write(
    options.json ? `${JSON.stringify(summaryOf(result), null, 2)}\n` : `${tableOf(result)}\n`,
  );
  const wrong = result.report.violations.length + result.failures.length;
  if (wrong === 0) return 0;
  say(
    `${wrong} things are wrong; again with --seed ${options.seed}. What is left: ${result.artefacts.join(' ')}`,
  );
  return 1;
}

async function rowByRow(chosen: typeof rows): Promise<number> {
  say(`seed ${options.seed}`);
  const size = options.full === true ? 'full' : 'small';
  let failures = 0;
  for (const result of runRows(chosen, options.seed, options.atOnce, size).values()) {
    const { row, error, durationMs, artefacts } = await result;
    const verdict = error === undefined ? 'held' : 'BROKEN';
    const seconds = (durationMs / 1_000).toFixed(1);
    process.stdout.write(
      `row ${row.number}: ${row.fault}: ${row.holds.join(' ')} ${verdict} (${seconds} s)\n`,
    );
    if (error === undefined) continue;
    failures += 1;
    process.stdout.write(`${error.stack ?? error.message}\nleft: ${artefacts.join(' ')}\n`);
  }
  return failures === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  if (options.rows === undefined) return await mixed();
  const numbers =
    options.rows === 'all' ? rows.map((row) => row.number) : options.rows.split(',').map(Number);
  const unknown = numbers.filter((number) => !rows.some((row) => row.number === number));
  if (unknown.length === 0) return await rowByRow(rows.filter((row) => numbers.includes(row.number)));
  process.stderr.write(`no case for row ${unknown.join(', ')} of the matrix\n`);
  return 2;
}

// What was started ends with the stage's own handler of the exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.exitCode = await main();
