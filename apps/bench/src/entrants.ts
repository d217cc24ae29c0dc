/** The contestants of the drain by name: tsq, its peers, and the limits that no server on Sidekiq's wire can pass. */
import type { Contestant } from './contestant.js';
import { BeeLine } from './lines/bee-line.js';
import { BullmqLine } from './lines/bullmq-line.js';
import { SidekiqLine } from './lines/sidekiq-line.js';
import { nodeProgram, rubyProgram, tsqProgram } from './programs.js';

/** Jobs at once, and a factor of the jobs in each drain: 1 gives some seconds. */
export interface EntrantOptions {
  readonly concurrency: number;
  readonly scale?: number;
}

/** Ruby's two lines a job; logs go where the others' go: to a file that nobody reads. */
const rubyJobLog = { BENCH_JOB_LOG: '1' };

const noop = { jobClass: 'Noop' };
const trackedNoop = { jobClass: 'TrackedNoop' };

const entrants = {
  ruby: ({ concurrency }) => onWire(noop, 30_000, rubyProgram(concurrency)),
  'ruby with job log': ({ concurrency }) => ({
    ...onWire(noop, 20_000, rubyProgram(concurrency)),
    variables: rubyJobLog,
  }),
  'tsq untracked': ({ concurrency }) => onWire(noop, 200_000, tsqProgram({ concurrency })),
  'tsq tracked': ({ concurrency }) => onWire(trackedNoop, 200_000, tsqProgram({ concurrency })),
  'tsq untracked with job log': ({ concurrency }) =>
    onWire(noop, 100_000, tsqProgram({ concurrency, jobLog: true })),
  'tsq tracked with job log': ({ concurrency }) =>
    onWire(trackedNoop, 100_000, tsqProgram({ concurrency, jobLog: true })),
  bullmq: ({ concurrency }) => ({
    jobs: 40_000,
    command: nodeProgram('./peers/bullmq-worker.js', concurrency),
    line: ({ url }) => new BullmqLine(url),
  }),
  'bee-queue': ({ concurrency }) => ({
    jobs: 40_000,
    command: nodeProgram('./peers/bee-worker.js', concurrency),
    line: ({ url, admin }) => new BeeLine(admin, url),
  }),
  'limit pop': ({ concurrency }) => onWire(noop, 100_000, nodeProgram('./limits/brpop.js', concurrency)),
  'limit scripts': ({ concurrency }) => onWire(noop, 200_000, nodeProgram('./limits/batch.js', concurrency)),
  'limit runtime untracked': ({ concurrency }) =>
    onWire(noop, 300_000, nodeProgram('./limits/runtime.js', concurrency, 'untracked')),
  'limit runtime tracked': ({ concurrency }) =>
    onWire(noop, 300_000, nodeProgram('./limits/runtime.js', concurrency, 'tracked')),
} satisfies Record<string, (options: EntrantOptions) => Omit<Contestant, 'name' | 'concurrency'>>;

export type EntrantName = keyof typeof entrants;

export const entrantNames = Object.keys(entrants) as readonly EntrantName[];

export function entrant(name: EntrantName, options: EntrantOptions): Contestant {
  const { jobs, ...rest }: Omit<Contestant, 'name' | 'concurrency'> = entrants[name](options);
  const scaled = Math.max(1_000, Math.round(jobs * (options.scale ?? 1)));
  return { ...rest, jobs: scaled, name, concurrency: options.concurrency };
}

function onWire(
  line: ConstructorParameters<typeof SidekiqLine>[1],
  jobs: number,
  command: readonly string[],
): Omit<Contestant, 'name' | 'concurrency'> {
  return { jobs, command, line: ({ admin }) => new SidekiqLine(admin, line) };
}
