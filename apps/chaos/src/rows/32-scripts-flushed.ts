/**
 * Row 32: the scripts are flushed from Redis every 100 ms under load, and processes of two builds, whose scripts differ, work
 * side by side. A script is addressed by its SHA and sent again with its text when Redis does not know it: no job sees an error.
 */
import { fileURLToPath } from 'node:url';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone, expectNoRecovery } from './all-done.js';

const otherBuild = fileURLToPath(new URL('../other-build.js', import.meta.url));
const eachMs = 100;

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const workers = await Promise.all([
    stage.worker(),
    stage.worker({ nodeArgs: ['--import', otherBuild] }),
    stage.worker({ nodeArgs: ['--import', otherBuild] }),
  ]);
  const admin = stage.connect();
  const client = stage.client();
  const times = stage.size === 'full' ? 200 : 30;
  for (let time = 0; time < times; time += 1) {
    await client.enqueueMany(4, 'Chaos::Tracked', [20 + stage.random.below(100)]);
    await client.enqueueMany(2, 'Chaos::Failing', [20, 1]);
    await client.enqueueMany(2, 'Chaos::Untracked', [20]);
    await admin.script('FLUSH');
    await stage.pause(eachMs);
  }
  // One process of each build dies: who is left recovers the other build's jobs.
  await client.enqueueMany(10, 'Chaos::Tracked', [3_000]);
  await stage.eventually(async () => {
    const held = await admin.keys('tsq:job:*');
    if (held.length < 10) throw new Error(`${held.length} jobs are claimed`);
  });
  await workers[0]?.kill();
  await admin.script('FLUSH');
  await stage.drained();
  for (const worker of workers) {
    if (worker.log.includes('NOSCRIPT')) throw new Error('NOSCRIPT stands in a log');
  }
  const report = await stage.verify();
  expectAllDone(report, ['death before settle']);
  const [recovery, ...more] = report.recoveries;
  if (recovery === undefined || more.length > 0) expectNoRecovery(report);
}

export const row: Row = {
  number: 32,
  fault: 'SCRIPT FLUSH every 100 ms under load, and processes of two builds side by side',
  holds: ['S1', 'S3'],
  run,
};
