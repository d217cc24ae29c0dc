/**
 * A queue that is paused or deleted while jobs of it are claimed: the pause is for who fetches, the deletion for what waits, and
 * neither may lose a claimed job. The orphans of a paused queue go back, and wait.
 */
import { Queue } from '@tsq/core';
import type { Row } from '../row.js';
import { begun, declaredDead, ended, same, seen } from './seen.js';

export const row: Row = {
  number: 27,
  fault: 'queue paused and unpaused, queue deleted, while its jobs are claimed and their process is killed',
  holds: ['S1'],
  async run(stage) {
    const redis = stage.connect(await stage.redis());
    const client = stage.client();
    const flags = ['-q', 'paused', '-q', 'deleted', '-q', 'default'];
    const killed = await stage.worker({ concurrency: 6, flags });
    const onPaused = await client.enqueueMany(3, 'Chaos::Tracked', [2_000], { queue: 'paused' });
    const onDeleted = await client.enqueueMany(3, 'Chaos::Tracked', [2_000], { queue: 'deleted' });
    await begun(stage, [...onPaused, ...onDeleted], killed.pid);
    const paused = new Queue(redis, 'paused');
    await paused.pause();
    await new Queue(redis, 'deleted').clear();
    await killed.kill();

    const living = await stage.worker({ flags });
    await ended(stage, onDeleted, living.pid);
    same(
      (await redis.smembers('queues')).includes('deleted'),
      true,
      'whether the deleted queue is in the list again',
    );
    await stage.eventually(async () => same(await paused.size(), 3, 'orphans that wait in the paused queue'));
    same(declaredDead(stage).length, 1, 'instances declared dead');
    // It asks the queues in their order: who has run this has passed the paused one over.
    const fence = await client.enqueueMany(10, 'Chaos::Tracked', [1]);
    await ended(stage, fence, living.pid);
    for (const jid of onPaused)
      same(seen(stage, 'start', jid, living.pid), [], 'starts while the queue is paused');
    await paused.unpause();
    await ended(stage, onPaused, living.pid);

    // And a living process that holds jobs of a queue which is deleted under it.
    const held = await client.enqueueMany(2, 'Chaos::Tracked', [500], { queue: 'deleted' });
    await begun(stage, held, living.pid);
    await new Queue(redis, 'deleted').clear();
    await ended(stage, held, living.pid);
    await stage.drained();
    const report = await stage.verify({ deathMs: 15_000 });
    same(
      report.recoveries.map(({ jobs }) => jobs),
      [6],
      'jobs put back, by recovery',
    );
  },
};
