/**
 * Row 2: the reply to a call is lost, and the process lives on. What a claim took is adopted, what a settle wrote is not written
 * twice, and an instance is not registered twice.
 */
import { scriptNames } from '../observer/script-names.js';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';

const jobsPerRound = 6;
const longMs = 2_500;

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  // Or else the first reply would be NOSCRIPT: to lose that one is no feat.
  for (const text of scriptNames().keys()) if (!isSha(text)) await stage.connect().script('LOAD', text);
  const proxy = await stage.proxy();
  // The first beat registers: it is not sent again, and the instance is there all the same.
  void proxy.dropReplyTo(shaOf('beat'));
  const worker = await stage.worker({ via: proxy, concurrency: jobsPerRound });
  if (proxy.dropped !== 1) throw new Error('the reply to the first beat was to be lost, and was not');
  const client = stage.client();

  const rounds = stage.size === 'full' ? 30 : 4;
  for (let round = 0; round < rounds; round += 1) {
    const script = round % 2 === 0 ? 'settle' : 'claim';
    const lost = proxy.dropReplyTo(shaOf(script), 1 + stage.random.below(2));
    for (const [name, args] of mixture) await client.enqueueMany(2, name, args);
    await lost;
    await stage.drained();
  }
  await adoptAll(stage, worker);
  await stage.drained();
  await requeueOnce(stage);
  const report = await stage.verify();
  // 5 would say that it did not hear of some end to the last.
  if (worker.ending !== 0)
    throw new Error(`expected exit code 0, got ${worker.ending}:\n${worker.log.slice(-2_000)}`);
  if (report.done !== report.jobs - 1)
    throw new Error(`${report.jobs} jobs, one of which waits, ${report.done} done`);
  const twice = Object.entries(report.duplicates).filter(([, count]) => count > 0);
  if (twice.length > 0) throw new Error(`done twice, though nobody died: ${JSON.stringify(twice)}`);
}

/**
 * An untracked job that is put back at the deadline of a stop has no claim any more that would keep it from being put back twice.
 * So when the reply is lost, nobody sends it again: not the runtime, and not the client library, which would by itself.
 */
async function requeueOnce(stage: Stage): Promise<void> {
  const proxy = await stage.proxy();
  const worker = await stage.worker({ via: proxy, flags: ['-q', 'stopped', '-t', '0.5'] });
  await stage.client().enqueue('Chaos::Heeding', [longMs], { queue: 'stopped', tracked: false });
  await stage.eventually(() => {
    if (runningOf(stage) !== 1) throw new Error('the job has not begun');
  });
  await stage.eventually(() => {
    const last = stage.lines().findLast(({ event, pid }) => pid === worker.pid && event.startsWith('settle'));
    if (last?.event !== 'settle-answered') throw new Error('its release is not confirmed yet');
  });
  const lost = proxy.dropReplyTo(shaOf('settle'));
  worker.terminate();
  await lost;
  await worker.ended();
  const waiting = await stage.connect().llen('queue:stopped');
  if (waiting !== 1)
    throw new Error(`put back once, with its reply lost, it stands ${waiting} times in its queue`);
}

/** After a beat, what Redis has noted for the instance is what it works on. */
async function adoptAll(stage: Stage, worker: WorkerProcess): Promise<void> {
  const proxy = worker.proxy;
  if (proxy === undefined) throw new Error('the worker has no proxy');
  const lost = proxy.dropReplyTo(shaOf('claim'));
  await stage.client().enqueueMany(3, 'Chaos::Tracked', [longMs]);
  await lost;
  const redis = stage.connect();
  await stage.eventually(async () => {
    const [owner] = await redis.smembers('tsq:instances');
    const noted = await redis.scard(`tsq:jobs:${owner}`);
    const running = runningOf(stage);
    if (noted !== running || running === 0) throw new Error(`${noted} jobs are noted, and ${running} run`);
  });
  if (worker.logged('adopted a claim whose reply was lost').length === 0)
    throw new Error(`no claim was adopted:\n${worker.log}`);
}

function runningOf(stage: Stage): number {
  const runs = new Set<string>();
  for (const line of stage.lines()) {
    if (line.event === 'start') runs.add(line.token);
    if (line.event === 'end' || line.event === 'fail') runs.delete(line.token);
  }
  return runs.size;
}

const mixture = [
  ['Chaos::Tracked', [30]],
  ['Chaos::Untracked', [30]],
  ['Chaos::Failing', [30, 1]],
] as const;

/** As EVALSHA names it. */
function shaOf(script: string): string {
  const found = [...scriptNames()].find(([text, name]) => name === script && isSha(text));
  if (found === undefined) throw new Error(`no script is called ${script}`);
  return found[0];
}

function isSha(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

export const row: Row = {
  number: 2,
  fault: 'the reply to a claim, a settle or a first beat is lost, and the process lives',
  holds: ['S1', 'S2', 'L1'],
  run,
};
