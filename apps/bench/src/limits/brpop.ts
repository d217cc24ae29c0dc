/** The limit without any safety: a connection and a BRPOP for each slot. A killed process loses what it runs. */
import { Redis } from 'ioredis';
import { countedJobs, countJob } from '../count.js';

const [concurrency = '10'] = process.argv.slice(2);
const url = process.env.REDIS_URL ?? '';
const slots = Array.from({ length: Number(concurrency) }, () => new Redis(url));
let stopping = false;

const running = slots.map(async (redis) => {
  while (!stopping) {
    const popped = await redis.brpop('queue:default', 0.2);
    if (popped === null) continue;
    JSON.parse(popped[1]);
    countJob();
  }
});

process.once('SIGTERM', async () => {
  stopping = true;
  await Promise.all(running);
  const [redis] = slots;
  await redis?.incrby('stat:processed', countedJobs());
  for (const slot of slots) slot.disconnect();
});
