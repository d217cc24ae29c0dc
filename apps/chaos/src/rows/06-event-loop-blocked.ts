/**
 * A job that never lets go of the event loop, for five TTLs (in full: five minutes), by computing and by sleeping: its process
 * lives, for the beats are a thread's, so nothing of it may be recovered, whoever stands beside it. And the log names the job while
 * it blocks, which only the thread can do.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { expectAllDone, expectNoRecovery } from './all-done.js';
import { begun, declaredDead, must, same, seen } from './seen.js';

const ttlMs = 3_000;
const beatMs = 1_000;
const fiveMinutesMs = 300_000;

export const row: Row = {
  number: 6,
  fault: 'event loops blocked for five TTLs (full: five minutes), by CPU and by Atomics.wait',
  holds: ['S4'],
  async run(stage) {
    await stage.redis();
    const client = stage.client();
    const blockedMs = stage.size === 'full' ? fiveMinutesMs : 5 * ttlMs;
    const blocked = await Promise.all(
      ['Chaos::Busy', 'Chaos::Blocking'].map(() => stage.worker({ concurrency: 1 })),
    );
    const jids: string[] = [];
    for (const name of ['Chaos::Busy', 'Chaos::Blocking']) jids.push(await client.enqueue(name, [blockedMs]));
    await begun(stage, jids);
    const beside = await stage.worker();
    for (const jid of jids) await namedWhileItBlocks(stage, jid, blocked);
    const others = await client.enqueueMany(5, 'Chaos::Tracked', [50]);
    await stage.drained(blockedMs + 60_000);
    same(declaredDead(stage), [], 'instances declared dead');
    for (const jid of [...jids, ...others]) same(seen(stage, 'start', jid).length, 1, `starts of ${jid}`);
    same(beside.logged('recovered'), [], 'what the one beside them logged of recovery');
    for (const worker of blocked) {
      same(worker.logged('goes on under a new id'), [], 'lapses');
      await stage.eventually(() => {
        const [end] = worker.logged('turns again after').slice(-1);
        must(Number(end?.stalledMs) > 0.8 * blockedMs, `expected its length, got ${end?.stalledMs}`);
      });
    }
    const report = await stage.verify();
    expectAllDone(report);
    expectNoRecovery(report);
  },
};

/** By class and jid, first of all, within two beats, as the thread measures it. */
async function namedWhileItBlocks(
  stage: Stage,
  jid: string,
  workers: readonly WorkerProcess[],
): Promise<void> {
  const pid = seen(stage, 'start', jid)[0]?.pid;
  const worker = workers.find((each) => each.pid === pid);
  const line = await stage.eventually(() => {
    const [found] = worker?.logged(`${jid} keeps it busy`) ?? [];
    if (found === undefined) throw new Error(`no line of a stalled event loop names ${jid}`);
    return found;
  });
  same(seen(stage, 'end', jid), [], 'ends of the job when the line was there');
  must(/most likely Chaos::(Busy|Blocking) /.test(line.msg), `expected its class, got ${line.msg}`);
  // Two beats, and one more for a machine on which the thread itself waits for its turn.
  must(Number(line.stalledMs) <= 3 * beatMs, `expected the line within two beats, got ${line.stalledMs} ms`);
}
