/** What the command needs of the assembled worker: the seam between the command's own business and compose.ts. */
import type { ReportedJob } from './running-report.js';

/** `unconfirmed`: Redis was away, and has not said how all jobs ended. What is still claimed, recovery puts back. */
export type StopReport = 'confirmed' | 'unconfirmed';

export interface Composition {
  /** The process as Sidekiq's pages name it. */
  readonly identity: string;
  /** Resolves once it takes jobs. Rejects when stopped meanwhile, or as its parts do. */
  start(): Promise<void>;
  quiet(): Promise<void>;
  /** Never rejects. @param deadline until when running jobs are waited for */
  stop(deadline: AbortSignal): Promise<StopReport>;
  running(): readonly ReportedJob[];
}
