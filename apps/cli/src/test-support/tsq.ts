/** `tsq` as a user starts it: a child process, its output and its exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach } from '@jest/globals';
import { eventually } from '@tsq/core/test-support';

const bin = fileURLToPath(new URL('../../bin/tsq.js', import.meta.url));

export class RunningTsq {
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

  get said(): string {
    return this.stdout + this.stderr;
  }

  /** Waits for it. */
  async says(part: RegExp): Promise<RegExpMatchArray> {
    return await eventually(() => {
      const match = this.said.match(part);
      if (match === null) throw new Error(`it did not say ${part}:\n${this.said}`);
      return match;
    }, 60_000);
  }
}

export interface TsqOptions {
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts commands; those still running after a test are killed, by their own pids. */
export function useTsq(): (args: readonly string[], options?: TsqOptions) => RunningTsq {
  const started: RunningTsq[] = [];
  afterEach(async () => {
    for (const command of started.splice(0)) {
      command.child.kill('SIGKILL');
      await command.exitCode;
    }
  });
  return (args, { folder, environment = {} } = {}) => {
    const { PATH = '', HOME = '' } = process.env;
    const env = { PATH, HOME, ...environment };
    const command = new RunningTsq(spawn(process.execPath, [bin, ...args], { cwd: folder, env }));
    started.push(command);
    return command;
  };
}
