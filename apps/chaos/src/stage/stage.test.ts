/** The stage itself: what a process does before it is killed is in the history, and the checker finds nothing wrong with it. */
import { afterEach, expect, test } from '@jest/globals';
import { Stage } from './stage.js';

let stage: Stage;

afterEach(() => stage.close('passed'));

test('a killed worker has its claims and starts in the history, and another one ends what it held', async () => {
  stage = new Stage(1);
  await stage.redis();
  const killed = await stage.worker({ concurrency: 3 });
  const client = stage.client();
  const jids = await client.enqueueMany(3, 'Chaos::Tracked', [1_500, 1.5, 'é<&>"\u2028', { b: [2n ** 70n] }]);
  const startedBy = (pid: number) =>
    stage.lines().flatMap((line) => (line.event === 'start' && line.pid === pid ? [line.jid] : []));
  await stage.eventually(() => expect(startedBy(killed.pid).toSorted()).toEqual(jids.toSorted()));
  const survivor = await stage.worker();
  await client.enqueue('Chaos::Failing', [10, 1]);
  await client.enqueue('Chaos::Untracked', [10]);
  await killed.kill();
  await stage.eventually(() => expect(startedBy(survivor.pid)).toEqual(expect.arrayContaining([...jids])));
  await stage.drained();
  const report = await stage.verify({ deathMs: 10_000 });
  expect(report).toMatchObject({ jobs: 5, tracked: 4, done: 5, overlaps: 0, refusedSettles: 0 });
  expect(report.recoveries).toMatchObject([{ path: 'death', jobs: 3 }]);
}, 90_000);
