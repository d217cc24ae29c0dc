/** A process of BullMQ, with its defaults. It has no limit to a stop of its own, so this one ends when its time is over. */
import { Worker } from 'bullmq';
import { perform } from './perform.js';

const [url = '', concurrency = '10', timeoutSeconds = '25'] = process.argv.slice(2);
const { hostname: host, port } = new URL(url);
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
type Data = readonly [number, number, string];

const worker = new Worker<Data>('peers', ({ data }) => perform(...data), {
  connection,
  concurrency: Number(concurrency),
});
worker.on('error', () => undefined); // "Missing lock" after a stall: the journal says what became of the job
await worker.waitUntilReady();
process.stdout.write('ready\n');

process.once('SIGTERM', () => {
  setTimeout(() => process.exit(0), Number(timeoutSeconds) * 1_000);
  void worker.close().then(() => process.exit(0));
});
