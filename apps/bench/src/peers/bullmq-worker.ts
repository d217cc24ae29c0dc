/** BullMQ's worker at its best settings: with ioredis 5, its faster driver; nothing is kept of a job that is done. */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis5';
import { countJob } from '../count.js';

const [concurrency = '10'] = process.argv.slice(2);
const connection = new Redis(process.env.REDIS_URL ?? '', { maxRetriesPerRequest: null });
const worker = new Worker('default', async () => countJob(), {
  connection,
  concurrency: Number(concurrency),
});

process.once('SIGTERM', async () => {
  await worker.close();
  connection.disconnect();
});
