/**
 * Row 34: of the pollers that move due jobs to their queues one is killed between reading a batch and moving it, and one is
 * held up there while the others move what it has read. Each entry is promoted once.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';

/** A poller reads a hundred at a time. */
const batch = 100;

/** For so long the one that is held up sleeps; the other looks more often. */
const heldMs = 2_500;
const mostWaves = 10;

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const batches = stage.size === 'full' ? 200 : 5;
  await schedule(stage, batches);
  // It comes to the fault only with a batch in hand.
  const arrival = 1 + stage.random.below(batches);
  const killed = await stage.worker({
    fault: `promote.mid:kill@${arrival}`,
    concurrency: 20,
    until: 'spawned',
  });
  const ending = await killed.ended();
  if (ending !== 'SIGKILL')
    throw new Error(`expected one to be killed while it promotes, and it ended with ${ending}`);

  await stage.worker({ concurrency: 20, flags: ['--poll-average', '0.6'] });
  await stage.drained();
  const held = await stage.worker({
    fault: `promote.mid:sleep(${heldMs})`,
    concurrency: 20,
    flags: ['--poll-average', '0.1'],
  });
  // It looks more often, so it is nearly always the first to see what is due; if not, there is more.
  const isHeld = () => held.log.includes('fault promote.mid:sleep');
  for (let wave = 0; wave < mostWaves && !isHeld(); wave += 1) {
    await schedule(stage, 1);
    await stage.drained();
  }
  if (!isHeld()) throw new Error('nobody was held up while it promotes');
  await stage.drained();
  const { jobs, done, duplicates } = await stage.verify();
  if (done !== jobs) throw new Error(`${jobs} jobs, ${done} done`);
  // What one of them had in hand when it was killed may run twice; what was promoted twice would have no such excuse.
  const explained = duplicates['death before settle'];
  const all = Object.values(duplicates).reduce((sum, count) => sum + count, 0);
  if (all !== explained) throw new Error(`done twice: ${JSON.stringify(duplicates)}`);
}

/** Due in a second. */
async function schedule(stage: Stage, batches: number): Promise<void> {
  const client = stage.client();
  await client.enqueueMany((batches - 1) * batch, 'Chaos::Tracked', [1], { delaySeconds: 1 });
  await client.enqueueMany(batch, 'Chaos::Failing', [1, 1], { delaySeconds: 1 });
}

export const row: Row = {
  number: 34,
  fault: 'a poller killed half way through a promotion, and two others at it',
  holds: ['S1', 'S3'],
  run,
};
