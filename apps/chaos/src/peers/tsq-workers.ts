/** The job of the comparison, as tsq has it; `tsq-worker -r` loads this file. */
import { defineWorker } from '@tsq/worker';
import { perform } from './perform.js';

export const job = defineWorker(
  'Peers::Job',
  { tracked: true, retry: false },
  async (number: number, durationMs: number, how: string) => {
    await perform(number, durationMs, how);
  },
);
