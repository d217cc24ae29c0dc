/**
 * Waits for an answer of somebody else's code, but not for ever. It can't be stopped: it goes on alone, what it says then
 * counts for nothing, and what it throws, which unhandled would end the process, goes to `onLate`.
 */
export interface Patience {
  readonly timeoutMs: number;
  /** Given up because the time is over. */
  readonly onTimeout: () => void;
  readonly onLate: (thrown: unknown) => void;
}

export class Waiting<T> {
  private isGivenUp = false;
  private end: () => void = () => undefined;

  constructor(
    private readonly answer: Promise<T>,
    private readonly patience: Patience,
  ) {}

  /** Ends the wait at once. */
  giveUp(): void {
    this.isGivenUp = true;
    this.end();
  }

  /** undefined when it was given up. @throws what the answer throws in time */
  async result(): Promise<T | undefined> {
    const { timeoutMs, onTimeout, onLate } = this.patience;
    const noAnswer = new Promise<undefined>((resolve) => {
      this.end = () => resolve(undefined);
    });
    if (this.isGivenUp) this.end();
    const timer = setTimeout(() => {
      this.giveUp();
      onTimeout();
    }, timeoutMs);
    this.answer.catch((thrown: unknown) => {
      if (this.isGivenUp) onLate(thrown);
    });
    try {
      return await Promise.race([this.answer, noAnswer]);
    } finally {
      clearTimeout(timer);
    }
  }
}
