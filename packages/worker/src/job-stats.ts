/**
 * Executions since the last flush, as Sidekiq counts them: `processed` is every execution that ended, failures included;
 * `failed` is every one that threw. The process registry adds them to `stat:*`.
 */
export interface JobCounts {
  readonly processed: number;
  readonly failed: number;
}

export class JobStats {
  private processed = 0;
  private failed = 0;

  count(failed: 'failed' | 'passed'): void {
    this.processed += 1;
    if (failed === 'failed') this.failed += 1;
  }

  /** What was counted since the last call. */
  take(): JobCounts {
    const counts = { processed: this.processed, failed: this.failed };
    this.processed = 0;
    this.failed = 0;
    return counts;
  }

  /** Puts back what could not be written. */
  restore(counts: JobCounts): void {
    this.processed += counts.processed;
    this.failed += counts.failed;
  }
}
