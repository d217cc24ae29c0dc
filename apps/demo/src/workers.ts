/** The demo's workers: one of each kind. `tsq-worker -r` loads this file. */
import { setTimeout as delay } from 'node:timers/promises';
import { currentJob, defineWorker, Worker } from '@tsq/worker';
import { z } from 'zod';
import { note } from './journal.js';

/** A class; its args are checked against a schema, and `enqueue` and `perform` are typed by it. */
@Worker({ tracked: true, retry: 5, args: z.tuple([z.url(), z.number().int().positive()]) })
export class ResizeImage {
  async perform(_url: string, width: number): Promise<void> {
    await work(width);
  }
}

/** A worker that Ruby knows by its own name. The integer is beyond 2^53: it arrives as a BigInt, digit for digit. */
@Worker({ name: 'Reports::Render', tracked: true })
export class RenderReport {
  async perform(_title: string, account: bigint): Promise<void> {
    if (account !== 123_456_789_012_345_678_901n)
      throw new RangeError(`account ${account} is not what was sent`);
    await work(400);
  }
}

/** A function; its first run fails, so that it goes to `retry`. */
export const chargeCard = defineWorker('ChargeCard', { tracked: true }, async (_orderId: number) => {
  const job = currentJob();
  note('start', job.jid);
  if (job.attempt === 1) {
    note('fail', job.jid);
    throw new Error('the bank did not answer');
  }
  note('end', job.jid);
});

async function work(durationMs: number): Promise<void> {
  const { jid, signal } = currentJob();
  note('start', jid);
  await delay(durationMs, undefined, { signal });
  note('end', jid);
}
