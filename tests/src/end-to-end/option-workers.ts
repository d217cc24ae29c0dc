/** Workers that decide for themselves what becomes of their failures; loaded beside those of workers.ts. */
import { type ConfigureServer, currentJob, defineWorker, Worker } from '@tsq/worker';
import { note } from './journal.js';

/** Fails, and wants to become what its only argument says. */
@Worker({
  name: 'Options::Deciding',
  retryIn: async (_count, _error, job) => job.args[0] as number | 'default' | 'kill' | 'discard',
  retriesExhausted: (job) => {
    note('exhausted', job.jid);
    return job.args[1];
  },
})
export class Deciding {
  perform(..._args: readonly unknown[]): never {
    throw new TypeError('fetch failed', { cause: new RangeError('no route') });
  }
}

/** Its last word never comes. */
@Worker({
  name: 'Options::Hanging',
  tracked: true,
  retry: 0,
  retriesExhausted: (job) => {
    note('hangs', job.jid);
    return new Promise(() => undefined);
  },
})
export class Hanging {
  perform(): never {
    throw new Error('no');
  }
}

export const request = defineWorker('Options::Request', (id: unknown) => {
  const { jid, locale, tags } = currentJob();
  note('request', jid, JSON.stringify([id, locale, tags, currentJob().currentAttributes()]));
});

export const configureServer: ConfigureServer = (server) => {
  server.deathHandlers.push((job) => note('died', job.jid));
};
