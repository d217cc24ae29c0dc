/** bee-queue's worker at its best settings: no events, nothing is kept of a job that is done. */
import Bee from 'bee-queue';
import { countJob } from '../count.js';

const [concurrency = '10'] = process.argv.slice(2);
const { hostname: host, port } = new URL(process.env.REDIS_URL ?? '');
const queue = new Bee('default', {
  redis: { host, port: Number(port) },
  getEvents: false,
  sendEvents: false,
  storeJobs: false,
  removeOnSuccess: true,
});
queue.process(Number(concurrency), async () => countJob());

process.once('SIGTERM', async () => {
  await queue.close(5_000);
});
