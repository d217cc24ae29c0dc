/**
 * Hosts whose clocks are an hour off, and one whose clock jumps: only Redis' clock decides, so nothing is recovered that should
 * not be, a killed process is found as soon as any, and what is scheduled runs when it is due.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClockFile, faketime } from '@tsq/core/test-support/outside-jest';
import { nowMicros } from '../history/history-writer.js';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { expectAllDone } from './all-done.js';
import { begun, declaredDead, must, same, seen } from './seen.js';

const hourMs = 3_600_000;
const dueSeconds = 3;

export const row: Row = {
  number: 18,
  fault: 'clocks of three workers: an hour ahead, an hour behind, and jumping; one of them is killed',
  holds: ['S6', 'L1'],
  missing: () => {
    const found = faketime();
    return 'missing' in found ? found.missing : undefined;
  },
  async run(stage) {
    const wrong = faketime();
    if ('missing' in wrong) throw new Error(wrong.missing);
    await stage.redis();
    const client = stage.client();
    const jumping = wrong.clockFile(join(stage.folder, 'clock'));
    const settings = { concurrency: 2 };
    const ahead = await stage.worker({ ...settings, env: wrong.clock('+1h') });
    const behind = await stage.worker({ ...settings, env: wrong.clock('-1h') });
    const jumper = await stage.worker({ ...settings, env: jumping.clock });
    offBy(ahead, hourMs);
    offBy(behind, -hourMs);
    offBy(jumper, 0);
    const long = await client.enqueueMany(6, 'Chaos::Tracked', [8_000]);
    await begun(stage, long);
    const scheduledAt = nowMicros();
    const due = await client.enqueueMany(3, 'Chaos::Tracked', [10], { delaySeconds: dueSeconds });
    const failing = await client.enqueueMany(3, 'Chaos::Failing', [10, 2]);
    await jumpAbout(jumping);
    same(declaredDead(stage), [], 'instances declared dead');
    const victims = long.filter((jid) => seen(stage, 'end', jid).length === 0 && runsOn(stage, ahead, jid));
    await ahead.kill();
    await stage.drained();
    for (const jid of due) ranWhenDue(stage, jid, scheduledAt);
    same(
      declaredDead(stage).filter((id) => !id.includes(`-${ahead.pid}-`)),
      [],
      'others declared dead',
    );
    for (const jid of long) {
      const again = victims.includes(jid) ? 2 : 1;
      same(seen(stage, 'start', jid).length, again, `starts of ${jid}`);
    }
    const report = await stage.verify();
    expectAllDone(report);
    same(report.jobs, long.length + due.length + failing.length, 'jobs');
    for (const worker of [behind, jumper]) same(worker.logged('goes on under a new id'), [], 'lapses');
  },
};

/** A row whose clocks are right would show nothing. */
function offBy(worker: WorkerProcess, expectedMs: number): void {
  const [line] = worker.logged('ready: takes jobs');
  const offMs = Date.parse(String(line?.time)) - Date.now();
  must(Math.abs(offMs - expectedMs) < 300_000, `expected a clock that is ${expectedMs} ms off, got ${offMs}`);
}

/** Each offset for longer than the others need to look, and to beat. */
async function jumpAbout(clock: ClockFile): Promise<void> {
  for (const offset of ['+1h', '-1h', '+20m', '-2d', '+0']) {
    clock.set(offset);
    await delay(1_000);
  }
}

function runsOn(stage: Stage, worker: WorkerProcess, jid: string): boolean {
  return seen(stage, 'start', jid, worker.pid).length > 0;
}

/** Not an hour before, which a clock that is ahead would have it. */
function ranWhenDue(stage: Stage, jid: string, scheduledAt: number): void {
  const [start] = seen(stage, 'start', jid);
  const afterMs = ((start?.at ?? 0) - scheduledAt) / 1_000;
  must(
    afterMs >= dueSeconds * 1_000 - 100,
    `${jid} was due after ${dueSeconds} s, and ran after ${afterMs} ms`,
  );
}
