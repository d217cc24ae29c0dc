/**
 * A process that is frozen for longer than its TTL is a zombie when it wakes: others own its jobs. It must learn so, and nothing
 * that it does may touch what they hold; nor what it claims itself from then on, be it the same job again.
 */
import { nowMicros } from '../history/history-writer.js';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { begun, ended, must, same, seen } from './seen.js';

/** A beat of the stage's workers is a second; the rest is for a machine that is busy with other rows. */
const abortWithinMs = 5_000;
const heedingMs = 9_000;

export const row: Row = {
  number: 3,
  fault: 'SIGSTOP for longer than the TTL, then SIGCONT, with a second claim of one of its jobs waiting',
  holds: ['S2', 'S3'],
  async run(stage) {
    const redis = stage.connect(await stage.redis());
    const client = stage.client();
    // Nobody else works on `mine`: what comes back there the zombie itself takes again.
    const zombie = await stage.worker({ flags: ['-q', 'default', '-q', 'mine'] });
    const heeding = await client.enqueue('Chaos::Heeding', [heedingMs]);
    const deaf = await client.enqueue('Chaos::Tracked', [6_000]);
    // Its time is up when the zombie wakes: whether its outcome is sent before the zombie knows what it is, is chance.
    const overdue = await client.enqueue('Chaos::Tracked', [2_000]);
    const twin = await client.enqueue('Chaos::Tracked', [6_000], { queue: 'mine' });
    const all = [heeding, deaf, overdue, twin];
    await begun(stage, all, zombie.pid);

    zombie.freeze();
    const owner = await stage.worker();
    await begun(stage, [heeding, deaf, overdue], owner.pid);
    await stage.eventually(async () => same(await redis.llen('queue:mine'), 1, 'length of the twin’s queue'));
    zombie.thaw();
    await untilItLearns(stage, heeding, zombie);

    await ended(stage, [deaf, overdue], zombie.pid);
    await ended(stage, [heeding, deaf, overdue], owner.pid);
    await stage.eventually(() => same(seen(stage, 'end', twin).length, 2, 'ends of the twin'));
    const pids = seen(stage, 'end', twin).map(({ pid }) => pid);
    same(pids, [zombie.pid, zombie.pid], 'who ran the twin');
    await untilRefused(stage, zombie, all);
    same(owner.logged(refusal), [], 'refused to the owner');

    await stage.drained();
    const report = await stage.verify();
    same(report.done, all.length, 'jobs that are done');
    const twice = 3 + seen(stage, 'end', heeding, zombie.pid).length;
    same(report.duplicates['false death'], twice, 'jobs that ended twice for the false death');
  },
};

const refusal = 'The outcome of a job was refused';

/** The signal of its lost job fires, and says why; or, on a slow machine, its own time was up while it was frozen. */
async function untilItLearns(stage: Stage, jid: string, zombie: WorkerProcess): Promise<void> {
  const thawedAt = nowMicros();
  const [start] = seen(stage, 'start', jid, zombie.pid);
  const wasOverdue = (thawedAt - (start?.at ?? 0)) / 1_000 > heedingMs - abortWithinMs / 2;
  const abort = await stage.eventually(() => {
    const [aborted] = seen(stage, 'abort', jid, zombie.pid);
    const hasEnded = wasOverdue && seen(stage, 'end', jid, zombie.pid).length > 0;
    must(aborted !== undefined || hasEnded, `expected the signal of ${jid} to fire in the zombie`);
    return aborted;
  });
  if (abort === undefined) return;
  same(abort.reason, 'TSQ_CLAIM_LOST', 'its reason');
  const lateMs = (abort.at - thawedAt) / 1_000;
  must(lateMs < abortWithinMs, `expected the signal within ${abortWithinMs} ms, got ${lateMs}`);
}

/** Of each job the old run's outcome was refused, once; the twin's second one was not. */
async function untilRefused(stage: Stage, zombie: WorkerProcess, jids: readonly string[]): Promise<void> {
  const refused = () => zombie.logged(refusal).map(({ jid }) => String(jid));
  await stage.eventually(() => same(refused().toSorted(), jids.toSorted(), 'refused outcomes'));
}
