/** Who is measured: how its worker process is started, and the jobs that it runs. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface Contestant {
  readonly name: string;
  readonly jobs: number;
  /** The class in the payloads. */
  readonly jobClass: string;
  readonly command: readonly string[];
  /** Jobs of another class that stand in front of the line, and stay there. Default 0. */
  readonly othersInFront?: number;
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
  const tsq = tsqCommand(concurrency);
  return [
    { name: 'Ruby Sidekiq', jobs: rubyJobs, jobClass: 'Noop', command: ruby },
    { name: 'tsq untracked', jobs: tsqJobs, jobClass: 'Noop', command: tsq },
    { name: 'tsq tracked', jobs: tsqJobs, jobClass: 'TrackedNoop', command: tsq },
  ];
}

/** The plain claim, and `--only-known`: alone in its queue, and behind jobs of other classes. */
export function onlyKnownContestants({ concurrency, tsqJobs }: Sizes): readonly Contestant[] {
  const plain = { jobs: tsqJobs, jobClass: 'Noop', command: tsqCommand(concurrency) };
  const onlyKnown = { ...plain, command: [...plain.command, '--only-known'] };
  return [
    { ...plain, name: 'plain claim' },
    { ...onlyKnown, name: '--only-known' },
    ...[10, 100, 900].map((othersInFront) => ({
      ...onlyKnown,
      name: `  behind ${othersInFront} others`,
      othersInFront,
    })),
  ];
}

function tsqCommand(concurrency: number): readonly string[] {
  const bin = createRequire(import.meta.url).resolve('tsq-worker/bin');
  const place = ['-r', pathOf('./noop-workers.js'), '-q', 'default', '-c', String(concurrency), '-t', '5'];
  return [process.execPath, bin, ...place, '--no-job-logging', '--log-level', 'warn'];
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
