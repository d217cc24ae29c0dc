/** The worker processes that take part, as commands. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const tsqBin = createRequire(import.meta.url).resolve('tsq-worker/bin');

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

export interface TsqProgram {
  readonly concurrency: number;
  /** Two lines a job, as Ruby writes them. Default off. */
  readonly jobLog?: boolean;
  readonly flags?: readonly string[];
}

export function tsqProgram({ concurrency, jobLog = false, flags = [] }: TsqProgram): readonly string[] {
  const place = ['-r', pathOf('./noop-workers.js'), '-q', 'default', '-c', String(concurrency), '-t', '5'];
  const log = jobLog ? [] : ['--no-job-logging', '--log-level', 'warn'];
  return [process.execPath, tsqBin, ...place, ...log, ...flags];
}

export function rubyProgram(concurrency: number): readonly string[] {
  const place = ['-q', 'default', '-c', String(concurrency), '-t', '5'];
  return ['sidekiq', '-r', pathOf('../ruby/noop.rb'), ...place];
}

/** One of ours in a folder beside this file, with its arguments. */
export function nodeProgram(file: string, ...args: readonly (string | number)[]): readonly string[] {
  return [process.execPath, pathOf(file), ...args.map(String)];
}
