/** The command: from its arguments to its exit code. What goes wrong before there is a log is said on stderr. */
import { TsqError } from '@tsq/core';
import { currentEnvironment } from './environment.js';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.js';
import { readCommandLine } from './flags.js';
import { loadConfig } from './load-config.js';
import { runWorker } from './run-worker.js';
import { ownVersion } from './version.js';

/** @param args without node and the script */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const line = readCommandLine(args, ownVersion());
  if (line.kind === 'end') return line.outcome === 'answered' ? exitCodes.stopped : exitCodes.usage;
  try {
    const { config, file, warnings } = loadConfig(
      line.flags,
      line.configFile,
      currentEnvironment(),
      process.cwd(),
    );
    return await runWorker(config, { configFile: file, warnings });
  } catch (error) {
    const what = error instanceof TsqError ? `${error.message} (${error.code})` : inspected(error);
    process.stderr.write(`tsq-worker: ${what}\n`);
    return exitCodeOf(error);
  }
}

function inspected(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
