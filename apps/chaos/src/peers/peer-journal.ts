/**
 * What the jobs of all contenders write, outside Redis, in one form: a line at the start and a line at the end of each run, by one
 * write to a file that is opened for appending. Times are of the machine's monotonic clock, in microseconds: Ruby has it too.
 */
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs';

export interface PeerEvent {
  /** Start or end of a run. */
  readonly what: 'S' | 'E';
  /** Which job: 0, 1, … */
  readonly job: number;
  readonly pid: number;
  readonly atMicros: number;
}

/** The environment variable with the journal's path: workers run in processes of their own. */
export const journalVariable = 'CHAOS_PEER_JOURNAL';

let file: number | undefined;

export function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** Called by the jobs. */
export function writeEvent(what: 'S' | 'E', job: number): void {
  file ??= openSync(process.env[journalVariable] ?? '/dev/null', 'a');
  writeSync(file, `${what} ${job} ${process.pid} ${nowMicros()}\n`);
}

export function readJournal(path: string): readonly PeerEvent[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => {
    const [what, job, pid, at] = line.split(' ');
    return { what: what === 'S' ? 'S' : 'E', job: Number(job), pid: Number(pid), atMicros: Number(at) };
  });
}

/** Of Ruby's jobs: the same lines. */
export const rubyJob = `
module Peers
  class Job
    include Sidekiq::Worker
    sidekiq_options assured_jobs: true, retry: false
    def perform(job, milliseconds, _how)
      note('S', job)
      sleep milliseconds / 1000.0
      note('E', job)
    end
    def note(what, job)
      at = Process.clock_gettime(Process::CLOCK_MONOTONIC, :microsecond)
      File.open(ENV.fetch('${journalVariable}'), 'a') { |file| file.syswrite("#{what} #{job} #{Process.pid} #{at}\\n") }
    end
  end
end
`;
