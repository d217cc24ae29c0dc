/** `pnpm chaos`: 0 when all that had to hold has held, 1 when something did not. */
import { Command } from 'commander';
import { rows } from './rows/index.js';
import { runRows } from './rows/run-rows.js';

const options = new Command('chaos')
  .description('Real processes, a real Redis and real faults: every job accounted for')
  .option('--rows <numbers>', 'rows of the fault matrix, each once: 1,2 or all')
  .option('--seed <n>', 'of all choices', Number, Math.floor(Math.random() * 1e6))
  .option('--at-once <n>', 'rows that run at once', Number, 2)
  .option('--full', 'the rows at the size that the matrix says, not the small one of the tests')
  .parse()
  .opts<{ rows?: string; seed: number; atOnce: number; full?: boolean }>();

async function main(): Promise<number> {
  const chosen = rowsOf(options.rows ?? 'all');
  process.stdout.write(`seed ${options.seed}\n`);
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

function rowsOf(text: string) {
  if (text === 'all') return rows;
  const numbers = text.split(',').map(Number);
  const unknown = numbers.filter((number) => !rows.some((row) => row.number === number));
  if (unknown.length > 0) throw new Error(`no case for row ${unknown.join(', ')} of the matrix`);
  return rows.filter((row) => numbers.includes(row.number));
}

process.exitCode = await main();
