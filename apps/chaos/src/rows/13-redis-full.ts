/**
 * Row 13: Redis is full, for twice the TTL. New pushes are refused, and what is there drains: claims, ends, retries, beats and
 * what a stop puts back all pass, because each script begins with a write that a full Redis takes. Nobody is declared dead.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone, expectNoRecovery } from './all-done.js';
import { expectQuietLog } from './quiet-log.js';

const fullMs = 6_000;

async function run(stage: Stage): Promise<void> {
  const redis = await stage.redis();
  const stays = await stage.worker();
  const stops = await stage.worker({ flags: ['-t', '0'] });
  const client = stage.client();
  const admin = stage.connect();
  const count = stage.size === 'full' ? 500 : 40;
  await client.enqueueMany(count, 'Chaos::Tracked', [200]);
  await client.enqueueMany(count, 'Chaos::Failing', [20, 1]);
  await client.enqueueMany(count, 'Chaos::Untracked', [20]);

  const trouble = redis.trouble('full');
  const startedAt = performance.now();
  await admin.config('SET', 'maxmemory', '1mb');
  const refused = await admin.lpush('queue:default', '{}').then(
    () => '',
    (error: Error) => error.message,
  );
  if (!refused.startsWith('OOM')) throw new Error(`expected a push to be refused with OOM, got "${refused}"`);
  // In the middle of its jobs: what it puts back passes too.
  const ending = await stops.stop();
  if (ending !== 0)
    throw new Error(`expected exit code 0 of a stop on a full Redis, got ${ending}:\n${stops.log}`);
  await stage.drained();
  await stage.pause(Math.max(0, fullMs - (performance.now() - startedAt)));
  if (!stays.isRunning) throw new Error(`a worker ended with ${stays.ending}:\n${stays.log}`);
  await admin.config('SET', 'maxmemory', '0');
  trouble.over();

  await client.enqueueMany(5, 'Chaos::Tracked', [20]);
  await stage.drained();
  // Retries come by promotion, which a full Redis may refuse for a moment: two lines are two states.
  expectQuietLog(stays, 2);
  const report = await stage.verify();
  expectAllDone(report, ['stop']);
  expectNoRecovery(report);
}

export const row: Row = {
  number: 13,
  fault: 'Redis full for twice the TTL',
  holds: ['S1', 'S4'],
  run,
};
