/** Row 20: two processes that were given one name. Each start has a nonce of its own, so a death is that of one of them. */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { deathBoundMs } from './death-bound.js';

const concurrency = 3;

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const start = () => stage.worker({ concurrency, env: { TSQ_HOST_NAME: 'twin' } });
  const [one, other] = await Promise.all([start(), start()]);
  await stage.client().enqueueMany(2 * concurrency, 'Chaos::Tracked', [2_500]);
  await stage.eventually(() => {
    const begun = [one, other].map((worker) => startsOf(stage, worker).length);
    if (begun.some((count) => count < concurrency))
      throw new Error(`of ${concurrency} each, ${begun} jobs run`);
  });
  const ids = await stage.connect().smembers('tsq:instances');
  if (ids.length !== 2 || ids.some((id) => !id.startsWith('twin-')))
    throw new Error(`expected two instances called twin, got ${ids}`);
  const orphans = startsOf(stage, one);
  const kept = startsOf(stage, other);
  await one.kill();
  await stage.drained();
  const { done, jobs, recoveries } = await stage.verify({ deathMs: deathBoundMs(stage) });
  if (done !== jobs) throw new Error(`${jobs} jobs, ${done} done`);
  if (recoveries.length !== 1 || recoveries[0]?.jobs !== orphans.length)
    throw new Error(`expected one recovery of ${orphans.length} jobs, got ${JSON.stringify(recoveries)}`);
  const again = kept.filter((jid) => startsOf(stage).filter((started) => started === jid).length > 1);
  if (again.length > 0) throw new Error(`of the one that lived, these ran again: ${again}`);
}

/** jids, in the order of their starts. */
function startsOf(stage: Stage, worker?: WorkerProcess): readonly string[] {
  return stage
    .lines()
    .flatMap((line) => (line.event === 'start' && line.pid === (worker?.pid ?? line.pid) ? [line.jid] : []));
}

export const row: Row = {
  number: 20,
  fault: 'two processes with one configured id, and one of them killed',
  holds: ['S2', 'S3', 'S4'],
  run,
};
