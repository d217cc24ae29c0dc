/**
 * Queues where jobs stand in front that this process leaves to others. A doorbell would ring there without end, so they are
 * asked: soon after a find, and ever later while there is none.
 */
const shortestMs = 50;
const longestMs = 1_000;

export class Crowds {
  /** The pause before the next look, by queue. */
  private readonly pauses = new Map<string, number>();

  has(queue: string): boolean {
    return this.pauses.has(queue);
  }

  /** Until somebody must look at these queues, bell or no bell. */
  pauseMs(queues: readonly string[]): number {
    return Math.min(longestMs, ...queues.map((queue) => this.pauses.get(queue) ?? longestMs));
  }

  /** @param found how many jobs a claim of the queues `asked` brought */
  note(asked: readonly string[], crowded: readonly string[], found: number): void {
    if (this.pauses.size === 0 && crowded.length === 0) return; // nearly always, and for each claim
    for (const queue of asked) {
      const before = this.pauses.get(queue) ?? shortestMs / 2;
      if (!crowded.includes(queue)) this.pauses.delete(queue);
      else this.pauses.set(queue, found > 0 ? shortestMs : Math.min(2 * before, longestMs));
    }
  }
}
