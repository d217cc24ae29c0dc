/**
 * Row 16: Redis is slow, by 50 and 500 ms a round trip, and by 5 s at once. As long as a beat goes through within the TTL nobody
 * is declared dead, and all is done, more slowly.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone, expectNoRecovery } from './all-done.js';
import { expectQuietLog } from './quiet-log.js';

const roundTripsMs = [50, 500];
const pauseMs = 5_000;
/** 5 s of silence are no death here. */
const patient = ['--heartbeat-interval', '5', '--heartbeat-ttl', '20'];

async function run(stage: Stage): Promise<void> {
  const redis = await stage.redis();
  const proxies = [await stage.proxy(), await stage.proxy()];
  const workers = await Promise.all(proxies.map((via) => stage.worker({ via, flags: patient })));
  const client = stage.client();
  const jobs = stage.size === 'full' ? 300 : 30;
  for (const roundTripMs of roundTripsMs) {
    for (const proxy of proxies) proxy.delayMs = roundTripMs / 2;
    await timed(stage, `${roundTripMs} ms a round trip`, jobs);
  }
  for (const proxy of proxies) proxy.delayMs = 0;
  // All is enqueued before: who would push meanwhile gets no answer.
  await client.enqueueMany(jobs, 'Chaos::Tracked', [200]);
  const trouble = redis.trouble('paused');
  await stage.connect().call('CLIENT', 'PAUSE', pauseMs, 'ALL');
  await stage.pause(pauseMs);
  trouble.over();
  await client.enqueueMany(5, 'Chaos::Tracked', [20]);
  await stage.drained();
  for (const worker of workers) expectQuietLog(worker, 2);
  await stage.stopWorkers();
  // Whoever gave it back was not heard: it ends with its TTL.
  await stage.eventually(async () => {
    if ((await stage.connect().exists('tsq:recovery_lock')) > 0) throw new Error('the lock is held still');
  });
  const report = await stage.verify({ heartbeatTtlMs: 20_000 });
  expectAllDone(report, ['reply lost']);
  expectNoRecovery(report);
}

/** How fast it goes stands in the history. */
async function timed(stage: Stage, how: string, jobs: number): Promise<void> {
  const startedAt = performance.now();
  await stage.client().enqueueMany(jobs, 'Chaos::Tracked', [20]);
  await stage.client().enqueueMany(jobs, 'Chaos::Untracked', [20]);
  await stage.drained();
  const perSecond = (2 * jobs) / ((performance.now() - startedAt) / 1_000);
  stage.note('other', `${how}: ${perSecond.toFixed(1)} jobs a second`);
}

export const row: Row = {
  number: 16,
  fault: 'Redis slow by 50 and 500 ms, and silent for 5 s',
  holds: ['S4'],
  run,
};
