/**
 * How the jobs of one system stand in line: each has its own keys and its own way to hold jobs back. What a measurement needs
 * of it is the same for all.
 */
export interface Line {
  /** Puts one job into the line, and no other. */
  probe(): Promise<void>;
  /** Fills in jobs that no worker sees yet. */
  hold(jobs: number): Promise<void>;
  /** Lets the workers have them, all in one step. */
  release(): Promise<void>;
  /** No job is queued, and none is noted as being in somebody's hands. */
  isDrained(): Promise<boolean>;
  /**
   * What the system itself counts when the worker is gone, by name: it must be what `booksOf` says.
   */
  books(): Promise<Books>;
  /** The books that balance after so many jobs, the probe among them. */
  expectedBooks(jobs: number): Books;
  /** Gives back what it holds open. */
  close(): Promise<void>;
}

export type Books = Readonly<Record<string, number>>;
