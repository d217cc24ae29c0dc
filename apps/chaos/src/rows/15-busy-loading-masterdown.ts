/**
 * Row 15: Redis answers, and serves nobody: BUSY with an endless script, LOADING its data, MASTERDOWN. The processes back off, do
 * not end, and go on when it is over; the log has a line for each state.
 */
import type { Row } from '../row.js';
import type { ChaosRedis } from '../stage/chaos-redis.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone, expectNoRecovery } from './all-done.js';
import { expectQuietLog, expectStates } from './quiet-log.js';

const troubleMs = 2_000;

async function run(stage: Stage): Promise<void> {
  const redis = await stage.redis({ aof: 'everysec' });
  const workers = [await stage.worker(), await stage.worker()];
  const load = async () => {
    await stage.client().enqueueMany(10, 'Chaos::Tracked', [600]);
    await stage.client().enqueueMany(5, 'Chaos::Failing', [20, 1]);
    await stage.client().enqueueMany(5, 'Chaos::Untracked', [20]);
  };
  const states = [
    [busy, 'Redis is busy with a script'],
    [masterDown, 'Redis is a replica'],
    [loading, 'Redis is away'],
  ] as const;
  for (const [at, [trouble, text]] of states.entries()) {
    await load();
    const spell = redis.trouble(text);
    await trouble(stage, redis);
    spell.over();
    await stage.drained();
    await stage.eventually(() => {
      for (const worker of workers) {
        expectStates(worker, text, 1);
        expectStates(worker, 'Redis is back', at + 1);
      }
    });
  }
  for (const worker of workers) {
    if (!worker.isRunning) throw new Error(`a worker ended with ${worker.ending}`);
    expectQuietLog(worker, states.length);
  }
  const report = await stage.verify();
  expectAllDone(report, ['reply lost']);
  expectNoRecovery(report);
}

async function busy(stage: Stage): Promise<void> {
  const admin = stage.connect();
  await admin.config('SET', 'busy-reply-threshold', '50');
  const endless = stage.connect();
  const ended = endless.eval('while true do end', 0).then(
    () => undefined,
    () => undefined, // SCRIPT KILL
  );
  await stage.pause(troubleMs);
  await admin.script('KILL');
  await ended;
  await admin.config('SET', 'busy-reply-threshold', '5000');
}

/** A replica of nobody that tells nobody what it has. */
async function masterDown(stage: Stage): Promise<void> {
  const admin = stage.connect();
  await admin.config('SET', 'replica-serve-stale-data', 'no');
  await admin.call('REPLICAOF', '127.0.0.1', '1');
  await stage.pause(troubleMs);
  await admin.call('REPLICAOF', 'NO', 'ONE');
}

async function loading(_stage: Stage, redis: ChaosRedis): Promise<void> {
  await redis.kill();
  await redis.startSlowly(troubleMs);
}

export const row: Row = {
  number: 15,
  fault: 'Redis BUSY, LOADING, MASTERDOWN',
  holds: ['S1', 'S4'],
  run,
};
