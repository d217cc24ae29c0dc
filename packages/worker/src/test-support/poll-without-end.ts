/** A process that polls, to be killed: `node poll-without-end.js URL`. */
import { Redis } from 'ioredis';
import { Poller } from '../poller.js';

const [, , url = ''] = process.argv;
const poller = new Poller({
  redis: new Redis(url),
  batchSize: 2,
  initialWaitMs: 0,
  pollIntervalAverageMs: 1,
});
await poller.start();
