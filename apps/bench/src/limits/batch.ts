/** The limit of the scripts: claim as many as there are slots, run them, end them with the next claim; no runtime at all. */
import { setTimeout as delay } from 'node:timers/promises';
import { countJob } from '../count.js';
import { type LeanClaim, LeanClaims } from './claims.js';

const [concurrency = '10'] = process.argv.slice(2);
const claims = await LeanClaims.open();
let stopping = false;
process.once('SIGTERM', () => {
  stopping = true;
});

let ended: readonly LeanClaim[] = [];
while (!stopping) {
  const batch = await claims.exchange(ended, Number(concurrency));
  for (const { payload } of batch) {
    JSON.parse(payload.toString('utf8'));
    countJob();
  }
  if (batch.length + ended.length === 0) await delay(1);
  ended = batch;
}
await claims.exchange(ended, 0);
await claims.close();
