/** A whole walk without a runtime: for tests of a worker that iterates. Nothing is stored, nothing interrupts it. */
import { silentLogger } from '@tsq/core';
import type { AnyIterationSteps } from './iterable-worker.js';
import { Iteration, type IterationState } from './iteration.js';

export async function iterateAtOnce(steps: AnyIterationSteps, args: readonly unknown[]): Promise<void> {
  const never = new AbortController().signal;
  const job = { signal: never, stopping: never, logger: silentLogger };
  await new Iteration(steps, args, job, unstored()).run();
}

/** The state of a walk that nobody will go on with. */
export function unstored(): IterationState {
  return {
    ...{ executions: 0, cursor: undefined, runtimeSeconds: 0 },
    load: async () => 'going',
    store: async () => 'going',
  };
}
