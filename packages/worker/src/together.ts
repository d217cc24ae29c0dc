/**
 * Components that stand in one place of the order: the managers of a process' capsules. They are quieted at once, and stop at
 * once, because all of them have the same deadline for their jobs; one after the other, the last would begin when it is over.
 */
import type { Component } from '@tsq/core';

export class Together implements Component {
  constructor(
    readonly name: string,
    private readonly components: readonly Component[],
  ) {}

  /** Rejects as the first does that can't start; the others are then left to `stop`. */
  async start(): Promise<void> {
    await Promise.all(this.components.map((component) => component.start()));
  }

  async quiet(): Promise<void> {
    await Promise.all(this.components.map((component) => component.quiet()));
  }

  async stop(deadline: AbortSignal, end?: AbortSignal): Promise<void> {
    await Promise.all(this.components.map((component) => component.stop(deadline, end)));
  }
}
