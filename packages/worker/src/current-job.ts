/**
 * The job that the code now runs for, wherever it is called from: by AsyncLocalStorage, which follows promises, timers and
 * events. One storage for the whole program, also when the workers' project has a copy of this package of its own: the
 * copy that runs the job and the copy that asks for it meet under a registered symbol.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Job, TsqError } from '@tsq/core';

const storageKey = Symbol.for('tsq.current-job');
const shared: typeof globalThis & { [storageKey]?: AsyncLocalStorage<Job> } = globalThis;
shared[storageKey] ??= new AsyncLocalStorage<Job>();

export const jobStorage: AsyncLocalStorage<Job> = shared[storageKey];

/** @throws TSQ_NO_CURRENT_JOB when no job runs here; code that also runs elsewhere asks `maybeCurrentJob` */
export function currentJob(): Job {
  const job = jobStorage.getStore();
  if (job !== undefined) return job;
  throw new TsqError(
    'TSQ_NO_CURRENT_JOB',
    'currentJob() is called outside of a job; use maybeCurrentJob() where there may be none',
  );
}

/** The job that this code runs for; undefined when it runs for none. */
export function maybeCurrentJob(): Job | undefined {
  return jobStorage.getStore();
}
