/**
 * Row 17: between one process and Redis everything is swallowed, or only the replies, for longer than the TTL, and the connections
 * stay open. Its jobs go to the others; when it is heard again it learns that they are not its own any more, and goes on under a new id.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone } from './all-done.js';
import { expectOutages, expectQuietLog } from './quiet-log.js';

const concurrency = 3;
/** The TTL is 3,000. */
const swallowedMs = 4_000;
/** They heed their signal: who lost them ends them when it is told so. */
const inHandMs = 15_000;

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const modes = ['hole', 'half'] as const;
  const chosen = stage.size === 'full' ? modes : [stage.random.pick(modes)];
  for (const mode of chosen) await swallow(stage, mode);
  const report = await stage.verify({ ttlMs: 12_000 });
  expectAllDone(report, ['false death', 'reply lost']);
}

async function swallow(stage: Stage, mode: 'hole' | 'half'): Promise<void> {
  const proxy = await stage.proxy();
  const cutOff = await stage.worker({ via: proxy, concurrency });
  const heard = await stage.worker({ concurrency: 2 * concurrency });
  const client = stage.client();
  heard.freeze(); // for a moment: the jobs are to be the other one's
  const inHand = await client.enqueueMany(concurrency, 'Chaos::Heeding', [inHandMs]);
  const begun = (pid: number) =>
    stage.lines().flatMap((line) => (line.event === 'start' && line.pid === pid ? [line.jid] : []));
  await stage.eventually(() => {
    const count = begun(cutOff.pid).length;
    if (count < concurrency) throw new Error(`of ${concurrency} jobs, ${count} run`);
  });
  heard.thaw();
  proxy.mode = mode;
  stage.note('network', mode, cutOff.pid);
  await stage.pause(swallowedMs);
  await stage.eventually(() => {
    const taken = begun(heard.pid);
    const left = inHand.filter((jid) => !taken.includes(jid));
    if (left.length > 0) throw new Error(`the other one has not taken over ${left.length} jobs`);
  });
  proxy.mode = 'pass';
  // What was swallowed leaves connections that wait for ever: each path has a timeout of its own, and nothing is cut here.
  stage.note('network-over', mode, cutOff.pid);
  await stage.eventually(() => {
    const told = stage.lines().filter((line) => line.event === 'abort' && line.pid === cutOff.pid);
    if (told.length < concurrency) throw new Error(`of ${concurrency} lost jobs, ${told.length} were told`);
    if (cutOff.logged('goes on under a new id').length !== 1)
      throw new Error(`expected one line on a new id:\n${cutOff.log}`);
  });
  await stage.drained();
  await heard.stop();
  // Alone, it works again.
  await client.enqueueMany(concurrency, 'Chaos::Tracked', [20]);
  await stage.drained();
  await stage.eventually(() => expectOutages(cutOff, 1));
  expectQuietLog(cutOff, 1);
  if (!cutOff.isRunning) throw new Error(`it ended with ${cutOff.ending}`);
  await cutOff.stop();
}

export const row: Row = {
  number: 17,
  fault: 'everything swallowed, or only the replies, between one process and Redis for longer than the TTL',
  holds: ['S2', 'S3'],
  run,
};
