/**
 * tsq's half of the workers; `ruby/workers.rb` has the same. Either side may run any job, and a job may fail on one side and be
 * done by the other. `tsq-worker -r` loads this file.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { currentJob, Worker } from '@tsq/worker';
import { note } from './journal.js';

/** `flaky` fails in its first run, `hopeless` always. */
export type Fate = 'fine' | 'flaky' | 'hopeless';

@Worker({ name: 'Soak::Job', tracked: true })
export class SoakJob {
  async perform(fate: Fate, durationMs: number, ..._ballast: unknown[]): Promise<void> {
    const { jid, retryCount } = currentJob();
    await delay(durationMs);
    if (fate === 'hopeless' || (fate === 'flaky' && retryCount === undefined)) {
      note('fail', jid);
      throw new RangeError(`a ${fate} job, "quoted" – é`);
    }
    note('done', jid);
  }
}
