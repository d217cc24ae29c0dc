/**
 * The contract between who runs jobs and who must be able to tell of them when the main thread can't: while a job blocks the
 * event loop, and after the process has died. It is asked once at the start and once at the end of each job, so both are cheap.
 */
import type { UnitOfWork } from './unit-of-work.js';

export interface RecordedJob {
  readonly unit: Pick<UnitOfWork, 'bytes' | 'owner' | 'batch' | 'index'>;
  readonly jid: string;
  /** What people know it by. */
  readonly displayClass: string;
  /** When it began, as performance.now() of the main thread has it. */
  readonly beganAtMs: number;
}

export interface JobRecorder {
  /** @returns its place, for `ended` */
  began(job: RecordedJob): number;
  /** @param place what `began` returned */
  ended(place: number): void;
}
