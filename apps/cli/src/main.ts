/** The command: from its arguments to its exit code. Each subcommand stands in a file of commands/. */
import { TsqError } from '@tsq/core';
import { Command, CommanderError } from 'commander';
import type { CliCommand, CommandContext } from './command.js';
import { commands } from './commands.js';
import { currentEnvironment } from './environment.js';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.js';
import { ProcessOutput } from './output.js';
import { ownVersion } from './version.js';

const description = `Looks after a fleet of tsq-worker.`;

/** @param args without node and the script */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const environment = currentEnvironment();
  const output = new ProcessOutput(environment);
  const exitCode = await run(args, { environment, folder: process.cwd(), output });
  const failure = await output.close();
  if (failure === undefined) return exitCode;
  output.remark(`tsq: what it had to say could not be written: ${failure.message}`);
  await output.close();
  return exitCode === exitCodes.done ? exitCodes.unexpected : exitCode;
}

async function run(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.done;
  const program = programOf((command) => async (given) => {
    exitCode = await command.run(given, context);
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has already said what there was to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    context.output.remark(`tsq: ${sentenceOf(error)}`);
    return exitCodeOf(error);
  }
}

function programOf(actionOf: (command: CliCommand) => (given: unknown) => Promise<void>): Command {
  const program = new Command('tsq')
    .description(description)
    .version(ownVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError()
    .exitOverride();
  for (const command of commands) {
    const sub = program
      .command(command.name)
      .helpOption('-h, --help', 'print this help')
      .showSuggestionAfterError();
    command.describe(sub);
    sub.action(actionOf(command));
  }
  return program;
}

/** A TsqError says all that matters; of what was not foreseen the stack does. */
function sentenceOf(error: unknown): string {
  if (error instanceof TsqError) return `${error.message} (${error.code})`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
