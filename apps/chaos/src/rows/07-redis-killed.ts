/**
 * Row 7: Redis is killed and comes back from its append-only file (a log that is written before each answer), before the TTL of the
 * heartbeats is over and after it. Jobs in hand run on, and their ends are written when Redis is back. Nobody is declared dead:
 * everybody gets one TTL to come back.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone, expectNoRecovery } from './all-done.js';
import { expectIdle } from './cpu-time.js';
import { expectOutages, expectQuietLog } from './quiet-log.js';

/** The TTL is 3,000. */
const aways = [1_000, 5_000];
const inHandMs = 2_000;

async function run(stage: Stage): Promise<void> {
  const redis = await stage.redis({ aof: 'no' });
  const workers = [await stage.worker(), await stage.worker()];
  const client = stage.client();
  const all = stage.size === 'full' ? [...aways, ...aways, ...aways] : aways;
  for (const [at, awayMs] of all.entries()) {
    await client.enqueueMany(6, 'Chaos::Tracked', [inHandMs]);
    await client.enqueueMany(6, 'Chaos::Untracked', [50]);
    await client.enqueueMany(6, 'Chaos::Failing', [50, 1]);
    await stage.pause(300 + stage.random.below(400));
    await redis.kill();
    // The jobs in hand sleep; beyond them there is nothing to do but to wait for Redis.
    await expectIdle(workers[0]?.pid ?? 0, 0.5, () => stage.pause(awayMs));
    await redis.start();
    await stage.drained();
    await stage.eventually(() => {
      for (const worker of workers) expectOutages(worker, at + 1);
    });
  }
  for (const worker of workers) expectQuietLog(worker, all.length);
  const report = await stage.verify();
  // An untracked job whose end got no answer is written again: at-most-once ends with its start.
  expectAllDone(report, ['reply lost']);
  expectNoRecovery(report);
}

export const row: Row = {
  number: 7,
  fault: 'Redis killed, and back from its append-only file before and after the TTL',
  holds: ['S1', 'S3', 'S4'],
  run,
};
