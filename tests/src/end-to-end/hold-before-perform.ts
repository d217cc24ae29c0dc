/** Loaded beside the workers by `tsq-worker -r`: holds every job after its claim and before its `perform`, for good. */
import type { ConfigureServer } from '@tsq/worker';
import { note } from './journal.js';

export const configureServer: ConfigureServer = (server) => {
  server.middleware.add('hold', (job) => {
    note('held', job.jid);
    return new Promise(() => undefined);
  });
};
