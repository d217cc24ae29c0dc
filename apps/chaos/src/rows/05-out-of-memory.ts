/**
 * Row 5: a job eats its process' memory: V8's heap limit, or the system's, ends it without a word. What ran beside it runs again
 * and ends; the job itself is started four times at most, and lies in the dead set then.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerOptions } from '../stage/start-worker.js';
import type { Ending } from '../stage/worker-process.js';

const heapMb = 48;
/** V8 reserves much more than it uses; what is left above that is soon eaten. */
const addressSpaceKb = 1_900_000;

const limits: readonly WorkerOptions[] = [
  { nodeArgs: [`--max-old-space-size=${heapMb}`] },
  { wrap: ['bash', '-c', `ulimit -c 0 -v ${addressSpaceKb}; exec "$@"`, 'bash'] },
];

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const client = stage.client();
  const redis = stage.connect();
  const hungry = await client.enqueue('Chaos::Hungry', [0]);
  await client.enqueueMany(4, 'Chaos::Tracked', [1_000]);
  // One process at a time, each under the limit that the one before was not under: so both of them kill.
  const endings: Ending[] = [];
  let worker = await stage.worker({ ...limits[0], until: 'spawned' });
  await stage.eventually(async () => {
    if (worker.ending !== undefined) {
      endings.push(worker.ending);
      worker = await stage.worker({ ...limits[endings.length % limits.length], until: 'spawned' });
    }
    if ((await redis.zcard('dead')) === 0) throw new Error(`not dead yet; processes ended with ${endings}`);
  }, 90_000);
  await stage.drained();

  const starts = stage.lines().filter((line) => line.event === 'start' && line.jid === hungry).length;
  if (starts > 4) throw new Error(`the hungry job was started ${starts} times`);
  const isOwnDeath = (ending: Ending) => ending !== 0 && ending !== 'SIGKILL' && ending !== 'SIGTERM';
  if (starts < 2 || endings.length !== starts || !endings.every(isOwnDeath))
    throw new Error(`it was started ${starts} times, and processes ended with ${endings}`);
  const state = await stage.finalState();
  const [buried] = state.jobs.filter(({ place }) => place === 'dead');
  if (buried?.jid !== hungry || !buried.error?.includes('TSQ_JOB_POISON'))
    throw new Error(`expected the hungry job in the dead set with its reason, got ${JSON.stringify(buried)}`);
  const { jobs, done, dead } = await stage.verify();
  if (done !== jobs - 1 || dead !== 1) throw new Error(`of ${jobs} jobs ${done} are done and ${dead} dead`);
}

export const row: Row = {
  number: 5,
  fault: 'out of memory: the limit of the heap, and that of the address space',
  holds: ['S1', 'L1', 'L2'],
  run,
};
