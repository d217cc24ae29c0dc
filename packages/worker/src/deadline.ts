/** A stop may be called twice with a deadline each: the earliest counts, so that an impatient second call is heard. */
export class EarliestDeadline {
  private readonly controller = new AbortController();
  private readonly closed = new AbortController();

  /** Aborts with the first of the deadlines added. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  add(deadline: AbortSignal): void {
    const abort = () => this.controller.abort(deadline.reason);
    if (deadline.aborted) abort();
    else deadline.addEventListener('abort', abort, { once: true, signal: this.closed.signal });
  }

  /** All is over: listens to no deadline any more. */
  close(): void {
    this.closed.abort();
  }
}
