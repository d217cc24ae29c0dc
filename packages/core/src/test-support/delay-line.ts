/** Passes chunks on after a delay that may change meanwhile, and always in the order in which they came: they are one stream. */
export class DelayLine {
  private readonly waiting: { readonly chunk: Buffer; readonly dueMs: number }[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly delayMs: () => number,
    private readonly send: (chunk: Buffer) => void,
  ) {}

  push(chunk: Buffer): void {
    const delayMs = this.delayMs();
    if (delayMs === 0 && this.waiting.length === 0) {
      this.send(chunk);
      return;
    }
    this.waiting.push({ chunk, dueMs: performance.now() + delayMs });
    this.wake();
  }

  close(): void {
    clearTimeout(this.timer);
    this.waiting.length = 0;
  }

  private wake(): void {
    const [next] = this.waiting;
    if (next === undefined || this.timer !== undefined) return;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.waiting.shift();
        this.send(next.chunk);
        this.wake();
      },
      Math.max(0, next.dueMs - performance.now()),
    );
  }
}
