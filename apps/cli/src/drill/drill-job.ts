/**
 * The drill's one worker, which `tsq-worker -r` loads: a tracked job that takes as long as it is told, and says in the
 * journal when it begins and ends.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type ConfigureServer, defineWorker } from '@tsq/worker';
import { journalPath } from '../environment.js';
import { JournalWriter } from './journal.js';

let journal: JournalWriter | undefined;

export const drillJob = defineWorker(
  'Tsq::DrillJob',
  { tracked: true },
  async (job: number, durationMs: number) => {
    journal ??= new JournalWriter(journalPath());
    journal.note('start', job);
    await delay(durationMs);
    journal.note('end', job);
  },
);

/** Called by tsq-worker, and not by who enqueues. When the drill itself was killed nobody else would end its workers. */
export const configureServer: ConfigureServer = () => {
  process.stdin.resume();
  process.stdin.once('close', () => process.kill(process.pid, 'SIGTERM'));
};
