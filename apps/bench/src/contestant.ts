/** Who is measured: how its worker process is started, and the jobs that it runs. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface Contestant {
  readonly name: string;
  readonly jobs: number;
  /** The class in the payloads. */
  readonly jobClass: string;
  readonly command: readonly string[];
}

export interface Sizes {
  readonly concurrency: number;
  readonly rubyJobs: number;
  readonly tsqJobs: number;
}

export function contestants({ concurrency, rubyJobs, tsqJobs }: Sizes): readonly Contestant[] {
  const ruby = [
    'sidekiq',
    '-r',
    pathOf('../ruby/noop.rb'),
    '-q',
    'default',
    '-c',
    String(concurrency),
    '-t',
    '5',
  ];
  const bin = createRequire(import.meta.url).resolve('tsq-worker/bin');
  const place = ['-r', pathOf('./noop-workers.js'), '-q', 'default', '-c', String(concurrency), '-t', '5'];
  const tsq = [process.execPath, bin, ...place, '--no-job-logging', '--log-level', 'warn'];
  return [
    { name: 'Ruby Sidekiq', jobs: rubyJobs, jobClass: 'Noop', command: ruby },
    { name: 'tsq untracked', jobs: tsqJobs, jobClass: 'Noop', command: tsq },
    { name: 'tsq tracked', jobs: tsqJobs, jobClass: 'TrackedNoop', command: tsq },
  ];
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
