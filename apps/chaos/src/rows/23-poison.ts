/** Row 23: one job that kills its process, among nine innocent ones, and four processes of which one is told to stop in between. */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { must, same, seen } from './seen.js';

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const client = stage.client();
  const innocent = [...(await client.enqueueMany(5, 'Chaos::Tracked', [400]))];
  const poison = await client.enqueue('Chaos::Poison', [0]);
  innocent.push(...(await client.enqueueMany(4, 'Chaos::Tracked', [400])));

  const start = () => stage.worker({ concurrency: 10 });
  const workers = [await start()]; // it takes all ten at once
  while (workers.length < 4) workers.push(await start());
  await untilDead(stage, workers, start, poison);
  await stage.drained();
  const { done, dead } = await stage.verify();
  same([done, dead], [9, 1], 'done, and dead');
  same(
    innocent.filter((jid) => seen(stage, 'end', jid).length === 0),
    [],
    'innocent jobs that did not end',
  );
  const [entry] = (await stage.finalState()).jobs;
  must(
    entry?.jid === poison && entry.error?.startsWith('TSQ_JOB_POISON: each process that ran it') === true,
    `expected the poison job in dead, with what happened; got ${JSON.stringify(entry)}`,
  );
}

/** Who died is started again, as an orchestrator does. Once the job is a suspect, somebody is told to stop and comes back. */
async function untilDead(
  stage: Stage,
  workers: WorkerProcess[],
  start: () => Promise<WorkerProcess>,
  poison: string,
): Promise<void> {
  const redis = stage.connect();
  let wasStopped = false;
  await stage.eventually(async () => {
    for (const [index, worker] of workers.entries()) if (!worker.isRunning) workers[index] = await start();
    const starts = seen(stage, 'start', poison).length;
    must(starts <= 4, `expected at most 4 starts of the poison job, got ${starts}`);
    if (starts === 2 && !wasStopped) {
      wasStopped = true;
      workers[stage.random.below(workers.length)]?.terminate();
    }
    must((await redis.zcard('dead')) === 1, `the poison job is not in dead after ${starts} starts`);
  }, 90_000);
}

export const row: Row = {
  number: 23,
  fault: 'a job that kills its process among nine innocent ones',
  holds: ['L2', 'S1', 'S5', 'L3'],
  run,
};
