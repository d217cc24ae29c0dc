/** `tsq-worker` as a user starts it: a child process, its output and its exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach } from '@jest/globals';
import { eventually } from '@tsq/core/test-support';

const bin = fileURLToPath(new URL('../../bin/tsq-worker.js', import.meta.url));

export interface CommandOptions {
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
}

/** One line of the JSON log. */
export type LogLine = { readonly [key: string]: unknown; readonly msg: string };

export class RunningCommand {
  stdout = '';
  stderr = '';
  readonly exitCode: Promise<number | null>;

  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exitCode = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }

  /** What it logged so far, as JSON. */
  get log(): readonly LogLine[] {
    return this.stdout
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as LogLine); // pino always writes msg
  }

  /** The first line whose message has `part`; waits for it. */
  async logged(part: string | RegExp): Promise<LogLine> {
    return await eventually(() => {
      const line = this.log.find(({ msg }) =>
        typeof part === 'string' ? msg.includes(part) : part.test(msg),
      );
      if (line === undefined) throw new Error(`no line with ${part} in:\n${this.stdout}${this.stderr}`);
      return line;
    });
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
}

/** Starts commands; those still running after a test are killed, by their own pids. */
export function useCommand(): (args: readonly string[], options?: CommandOptions) => RunningCommand {
  const started: RunningCommand[] = [];
  afterEach(async () => {
    for (const command of started.splice(0)) {
      command.child.kill('SIGKILL');
      await command.exitCode;
    }
  });
  return (args, { folder, environment = {}, nodeArgs = [] } = {}) => {
    const { PATH = '', HOME = '' } = process.env;
    const env = { PATH, HOME, ...environment };
    const command = new RunningCommand(
      spawn(process.execPath, [...nodeArgs, bin, ...args], { cwd: folder, env }),
    );
    started.push(command);
    return command;
  };
}
