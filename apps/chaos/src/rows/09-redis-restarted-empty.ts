/**
 * Row 9: a Redis without persistence is restarted, and knows nothing any more. What it held is gone, which is Redis' own; the
 * processes live, register anew, hear that what they settle is not theirs, and do what is enqueued from then on.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { expectQuietLog } from './quiet-log.js';

async function run(stage: Stage): Promise<void> {
  const redis = await stage.redis();
  const since = redis.now();
  const workers = [await stage.worker({ concurrency: 3 }), await stage.worker({ concurrency: 3 })];
  const client = stage.client();
  const inHand = await client.enqueueMany(6, 'Chaos::Tracked', [3_000]);
  await stage.eventually(() => {
    const begun = stage.lines().filter(({ event }) => event === 'start').length;
    if (begun < inHand.length) throw new Error(`of ${inHand.length} jobs, ${begun} run`);
  });
  await redis.kill();
  redis.lostTail(since, 'all of it');
  await redis.start();
  const later = await client.enqueueMany(20, 'Chaos::Tracked', [20]);
  await client.enqueueMany(10, 'Chaos::Untracked', [20]);
  await client.enqueueMany(10, 'Chaos::Failing', [20, 1]);
  await stage.drained();
  const ended = () => new Set(stage.lines().flatMap((line) => (line.event === 'end' ? [line.jid] : [])));
  await stage.eventually(() => {
    const missing = [...inHand, ...later].filter((jid) => !ended().has(jid));
    if (missing.length > 0) throw new Error(`${missing.length} jobs have not ended`);
  });
  await stage.eventually(() => {
    for (const worker of workers) {
      if (worker.logged('goes on under a new id').length !== 1)
        throw new Error(`expected that it registers anew, once:\n${worker.log}`);
      // What it had in hand nobody knows any more: its end is refused, and that is said and survived.
      if (worker.logged('a claim is lost').length === 0)
        throw new Error(`no end was refused:\n${worker.log}`);
    }
  });
  for (const worker of workers) {
    if (!worker.isRunning) throw new Error(`a worker ended with ${worker.ending}:\n${worker.log}`);
    if (worker.log.includes('NOSCRIPT')) throw new Error(`NOSCRIPT is seen:\n${worker.log}`);
    expectQuietLog(worker, 1);
  }
  await stage.verify();
}

export const row: Row = {
  number: 9,
  fault: 'a Redis without persistence restarted',
  holds: ['S2', 'L3'],
  run,
};
