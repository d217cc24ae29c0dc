/**
 * What runs at this moment: the Processor notes each job here from before its `perform` until its outcome is known. The
 * process registry shows it, and the Manager takes it as the list of what to abort and requeue at the deadline of a stop. A
 * recorder, if there is one, hears of each, so that somebody can tell of them when this thread can't.
 */
import {
  type JobRecorder,
  type RecordedJob,
  Roster,
  type Seated,
  type TsqError,
  type UnitOfWork,
} from '@tsq/core';

export interface RunningJob extends RecordedJob, Seated {
  /** Short and unique while it runs: the thread id of Sidekiq's work hash. */
  readonly slot: string;
  readonly unit: UnitOfWork;
  readonly jid: string;
  /** The name on the wire. */
  readonly class: string;
  readonly startedAtMs: number;
  /** Where the recorder has it; undefined: nowhere. */
  recordedAt?: number | undefined;
  /** Fires the job's AbortSignal. */
  abort(reason: TsqError): void;
  /** The process takes no new jobs. */
  tellStopping?(): void;
}

export class RunningJobs {
  private readonly jobs = new Roster<RunningJob>();

  constructor(private readonly recorder?: JobRecorder) {}

  get size(): number {
    return this.jobs.size;
  }

  begin(job: RunningJob): void {
    this.jobs.add(job);
    job.recordedAt = this.recorder?.began(job);
  }

  end(job: RunningJob): void {
    this.jobs.delete(job);
    if (job.recordedAt === undefined) return;
    this.recorder?.ended(job.recordedAt);
    job.recordedAt = undefined;
  }

  list(): readonly RunningJob[] {
    return [...this.jobs];
  }
}
