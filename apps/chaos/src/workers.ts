/** The jobs of the chaos suite; `tsq-worker -r` loads this file. Each run writes its start and its end into the history. */
import { setTimeout as delay } from 'node:timers/promises';
import type { UnitOfWork } from '@tsq/core';
import { currentJob, defineWorker } from '@tsq/worker';
import { note } from './history/history-writer.js';
import { trackedNames } from './job-names.js';

/** The first arg is the duration in milliseconds; the others are what their comment says, and ballast. */
type Perform = (durationMs: number, ...more: readonly unknown[]) => void | Promise<void>;

class MeantToFail extends Error {
  override readonly name = 'MeantToFail';
}

function chaosWorker(name: string, perform: Perform) {
  const options = { tracked: trackedNames.has(name), retryIn: () => 0.2, retry: 25 };
  return defineWorker(name, options, (durationMs: number, ...more: unknown[]) =>
    noted(() => perform(durationMs, ...more)),
  );
}

async function noted(perform: () => void | Promise<void>): Promise<void> {
  const { jid, unit, attempt, signal } = currentJob();
  const token = tokenOf(unit);
  note({ event: 'start', jid, token, attempt });
  signal.addEventListener('abort', () => {
    const code = (signal.reason as { readonly code?: string }).code;
    note({ event: 'abort', jid, token, reason: code ?? String(signal.reason) });
  });
  try {
    await perform();
  } catch (error) {
    if (error instanceof MeantToFail) note({ event: 'fail', jid, token });
    throw error;
  }
  note({ event: 'end', jid, token });
}

/** The claim's own token, which the runtime knows nothing of. */
function tokenOf(unit: UnitOfWork): string {
  return 'member' in unit ? String(unit.member) : '';
}

const sleep: Perform = async (durationMs) => {
  await delay(durationMs);
};

/** Ends at once when it is told to. */
const heed: Perform = async (durationMs) => {
  const { signal } = currentJob();
  await delay(durationMs, undefined, { signal });
};

/** The second arg is how many of its first runs fail. */
const failAtFirst: Perform = async (durationMs, failures) => {
  await delay(durationMs);
  if (currentJob().attempt <= Number(failures)) throw new MeantToFail('"meant" to fail – é');
};

/** Computes. */
const spin: Perform = (durationMs) => {
  const end = performance.now() + durationMs;
  while (performance.now() < end) Math.sqrt(end);
};

/** Blocks the thread without computing. */
const block: Perform = (durationMs) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
};

/** Kills its process, as one does that runs out of memory. */
const kill: Perform = async () => {
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined); // the signal needs a moment
};

/** Takes memory until there is none. */
const devour: Perform = () => {
  const taken: unknown[] = [];
  for (;;) taken.push(Array.from({ length: 100_000 }, (_, index) => ({ index })));
};

export const tracked = chaosWorker('Chaos::Tracked', sleep);
export const untracked = chaosWorker('Chaos::Untracked', sleep);
export const heeding = chaosWorker('Chaos::Heeding', heed);
export const failing = chaosWorker('Chaos::Failing', failAtFirst);
export const failingUntracked = chaosWorker('Chaos::FailingUntracked', failAtFirst);
export const busy = chaosWorker('Chaos::Busy', spin);
export const blocking = chaosWorker('Chaos::Blocking', block);
export const poison = chaosWorker('Chaos::Poison', kill);
export const hungry = chaosWorker('Chaos::Hungry', devour);
