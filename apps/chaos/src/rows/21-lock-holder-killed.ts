/**
 * Row 21: who holds the recovery lock is killed between two batches; its lock runs out while it is held up there; a stranger
 * writes the lock. Five recover at once in the end, and each orphan is put back once: the lock only spares work.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { makeOrphans } from './make-orphans.js';

const lockTtlSeconds = 2;
const heldMs = (lockTtlSeconds + 1) * 1_000;
/** Passes alone: looks at the connections take no lock. */
const passes = ['--recovery-watch-interval', '0', '--recovery-lock-ttl', String(lockTtlSeconds)];

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const redis = stage.connect();
  // The first call declares it dead. Of 450, each other moves 200: so two recoverers, one after the other, come to a moment between two.
  const { owner, count } = await makeOrphans(stage, 3);
  const left = () => redis.scard(`tsq:jobs:${owner}`);

  const killed = await stage.worker({
    fault: 'recover.mid:kill@2',
    flags: [...passes, '-q', 'none'],
    until: 'spawned',
  });
  await killed.ended();
  const afterKill = await left();
  if (afterKill === 0 || afterKill === count)
    throw new Error(`killed half way, and ${afterKill} of ${count} are left`);

  // Its lock runs out while it is held up; the others, who come meanwhile, go on.
  const heldUp = await stage.worker({
    fault: `recover.mid:sleep(${heldMs})`,
    flags: [...passes, '-q', 'none'],
    until: 'spawned',
  });
  await stage.eventually(() => {
    if (!heldUp.log.includes('fault recover.mid'))
      throw new Error(`it has not begun to recover:\n${heldUp.log.slice(-2_000)}`);
  });
  await redis.set('tsq:recovery_lock', 'a-stranger', 'PX', 600_000);
  await Promise.all([1, 2, 3, 4].map(() => stage.worker({ flags: passes, concurrency: 50 })));
  await stage.eventually(async () => {
    const remaining = await left();
    if (remaining > 0) throw new Error(`${remaining} orphans are left, and four others recover`);
  });
  await stage.drained();
  const { jobs, done, duplicates } = await stage.verify();
  if (done !== jobs) throw new Error(`${jobs} jobs, ${done} done`);
  if (duplicates['false death'] > 0) throw new Error('a living process was recovered');
}

export const row: Row = {
  number: 21,
  fault: 'who holds the recovery lock is killed, or outlives it; a stranger writes the lock; five recover',
  holds: ['S3', 'L1'],
  run,
};
