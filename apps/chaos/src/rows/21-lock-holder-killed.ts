/**
 * Row 21: who holds the recovery lock is killed between two batches; its lock runs out while it is held up there; a stranger
 * writes the lock. Five recover at once in the end, and each orphan is put back once: the lock only spares work.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';

/** recover.lua moves 200 at a call, so there is a moment between two of them, and orphans left for the next recoverer. */
const orphans = 450;
const lockTtlSeconds = 2;
const heldMs = (lockTtlSeconds + 1) * 1_000;
/** Passes alone: looks at the connections take no lock. */
const passes = ['--recovery-watch-interval', '0', '--recovery-lock-ttl', String(lockTtlSeconds)];

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const redis = stage.connect();
  const victim = await makeOrphans(stage);
  const left = () => redis.scard(`tsq:jobs:${victim}`);

  const killed = await stage.worker({
    fault: 'recover.mid:kill',
    flags: [...passes, '-q', 'none'],
    until: 'spawned',
  });
  await killed.ended();
  const afterKill = await left();
  if (afterKill === 0 || afterKill === orphans)
    throw new Error(`killed half way, and ${afterKill} of ${orphans} are left`);

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
    const count = await left();
    if (count > 0) throw new Error(`${count} orphans are left, and four others recover`);
  });
  await stage.drained();
  const { jobs, done, duplicates } = await stage.verify();
  if (done !== jobs) throw new Error(`${jobs} jobs, ${done} done`);
  if (duplicates['false death'] > 0) throw new Error('a living process was recovered');
}

/** A process claims them all, 150 at a time, and dies with them; those that it has begun have not ended. */
async function makeOrphans(stage: Stage): Promise<string> {
  await stage.client().enqueueMany(orphans, 'Chaos::Tracked', [500]);
  const victim = await stage.worker({
    fault: 'claim.after:kill@3',
    concurrency: orphans,
    flags: passes,
    until: 'spawned',
  });
  await victim.ended();
  const ids = await stage.connect().smembers('tsq:instances');
  const [id] = ids.filter((each) => each.includes(`-${victim.pid}-`));
  if (id === undefined) throw new Error(`process ${victim.pid} is not among ${ids}`);
  const held = await stage.connect().scard(`tsq:jobs:${id}`);
  if (held !== orphans) throw new Error(`expected ${orphans} orphans, got ${held}`);
  return id;
}

export const row: Row = {
  number: 21,
  fault: 'who holds the recovery lock is killed, or outlives it; a stranger writes the lock; five recover',
  holds: ['S3', 'L1'],
  run,
};
