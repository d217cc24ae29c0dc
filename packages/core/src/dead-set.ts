/** How much the dead set keeps: whoever adds an entry to it trims it. */
export interface DeadSetLimits {
  /** Entries older than this leave. */
  readonly timeoutSeconds: number;
  /** Only so many of the youngest stay. */
  readonly maxJobs: number;
}

/** Sidekiq's: 180 days, 10,000 entries. (Ruby's own trim keeps one entry less.) */
export const sidekiqDeadSet: DeadSetLimits = { timeoutSeconds: 15_552_000, maxJobs: 10_000 };
