/** What a command of `tsq` is: a file of commands/, named after it, which exports one of these. commands.ts lists them. */
import type { Command } from 'commander';
import type { Environment } from './environment.js';
import type { ExitCode } from './exit-codes.js';
import type { Output } from './output.js';

export interface CommandContext {
  readonly environment: Environment;
  /** Where it was called; relative paths start here. */
  readonly folder: string;
  readonly output: Output;
}

export interface CliCommand {
  readonly name: string;
  /** Adds its description and options. */
  describe(command: Command): void;
  /**
   * @param given the options as commander read them, not yet judged
   * @throws TsqError: its message goes to stderr, and its code decides about the exit code
   */
  run(given: unknown, context: CommandContext): Promise<ExitCode>;
}
