/**
 * Row 8: the end of the append-only file is gone, as after a loss of power, twice in a row. What was enqueued or settled in it
 * is Redis' to lose; nothing is half-done, and each other job is in one place. A cut may leave an open MULTI in the file, behind
 * which the next start would read nothing: the log is rewritten after each start (docs/redis-trouble.md).
 */
import type { Row } from '../row.js';
import type { ChaosRedis } from '../stage/chaos-redis.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone } from './all-done.js';

async function run(stage: Stage): Promise<void> {
  const redis = await stage.redis({ aof: 'everysec' });
  const workers = [await stage.worker(), await stage.worker()];
  const rounds = stage.size === 'full' ? 20 : 2;
  for (let round = 0; round < rounds; round += 1) {
    await load(stage);
    await stage.pause(stage.random.below(300));
    const mark = redis.markTail();
    await load(stage);
    await stage.pause(100 + stage.random.below(400));
    await redis.kill();
    // Any byte may be the last: in the middle of a command, of a transaction, or of a payload.
    redis.cutTail(mark, stage.random.next());
    await redis.start();
    await rewriteLog(stage, redis);
  }
  await stage.drained();
  // Redis keeps what is written from now on: nothing of the torn log is left.
  const kept = await stage.client().enqueueMany(10, 'Chaos::Tracked', [20]);
  await stage.drained();
  await redis.kill();
  await redis.start();
  await stage.drained();
  for (const worker of workers)
    if (!worker.isRunning) throw new Error(`a worker ended with ${worker.ending}`);
  const report = await stage.verify();
  const ended = new Set(stage.lines().flatMap((line) => (line.event === 'end' ? [line.jid] : [])));
  if (kept.some((jid) => !ended.has(jid)))
    throw new Error('of the jobs after the last cut some have not ended');
  expectAllDone({ ...report, jobs: report.jobs - report.lostWithTail }, [
    'lost tail',
    'false death',
    'reply lost',
  ]);
}

async function load(stage: Stage): Promise<void> {
  const client = stage.client();
  await client.enqueueMany(10, 'Chaos::Tracked', [100]);
  await client.enqueueMany(5, 'Chaos::Failing', [20, 1]);
  await client.enqueueMany(5, 'Chaos::Untracked', [20]);
}

async function rewriteLog(stage: Stage, server: ChaosRedis): Promise<void> {
  const redis = stage.connect(server);
  await redis.bgrewriteaof();
  await stage.eventually(async () => {
    if (/aof_rewrite_(in_progress|scheduled):1/.test(await redis.info('persistence')))
      throw new Error('the log is still being rewritten');
  });
}

export const row: Row = {
  number: 8,
  fault: 'the end of the append-only file lost, twice in a row',
  holds: ['S1', 'S5'],
  run,
};
