/**
 * Row 30: TERM where it is least expected: while a process starts, claims, begins a job, recovers others; twice; and followed by
 * kill -9. Nothing is lost, nobody hangs, and no key is left of any.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { makeOrphans } from './make-orphans.js';

/** For so long a process is held up where TERM is to find it. */
const heldMs = 600;
const longMs = 2_500;

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  await makeOrphans(stage, 2, 'orphans');
  await stage.client().enqueueMany(30, 'Chaos::Tracked', [longMs], { queue: 'odd' });
  const rounds = stage.size === 'full' ? 10 : 1;
  for (let round = 0; round < rounds; round += 1) await Promise.all(moments.map((stop) => stop(stage)));
  await stage.worker({ concurrency: 150, flags: queues });
  await stage.drained();
  const { jobs, done } = await stage.verify();
  if (done !== jobs) throw new Error(`${jobs} jobs, ${done} done`);
}

const queues = ['-q', 'odd', '-q', 'orphans'];
/** Only who is to be found recovering looks for orphans: the others would be faster. */
const leavesOrphans = ['--recovery-start-delay', '600', '--recovery-watch-interval', '0'];

const moments: readonly ((stage: Stage) => Promise<void>)[] = [
  (stage) => whileHeld(stage, 'register.before'),
  (stage) => whileHeld(stage, 'register.after'),
  (stage) => whileHeld(stage, 'claim.before'),
  (stage) => whileHeld(stage, 'claim.after'),
  (stage) => whileHeld(stage, 'perform.before'),
  (stage) => whileHeld(stage, 'recover.mid'),
  whileItStarts,
  twice,
  thenKilled,
];

/** TERM arrives while the thread stands still at this point. */
async function whileHeld(stage: Stage, point: string): Promise<void> {
  const worker = await stage.worker({
    fault: `${point}:sleep(${heldMs})`,
    flags: [...(point === 'recover.mid' ? [] : leavesOrphans), ...queues, '-t', '0.2'],
    until: 'spawned',
  });
  await stage.eventually(() => {
    if (!worker.log.includes(`fault ${point}:`))
      throw new Error(`it did not come to ${point}${endOf(worker)}`);
  });
  worker.terminate();
  await endsWell(worker, point);
}

/** At a moment that the seed chooses, from before its first line on. */
async function whileItStarts(stage: Stage): Promise<void> {
  const worker = await stage.worker({ flags: [...leavesOrphans, ...queues, '-t', '0.2'], until: 'spawned' });
  await new Promise((resolve) => setTimeout(resolve, stage.random.below(1_500)));
  worker.terminate();
  const ending = await worker.ended();
  // Before it has a word to say, TERM ends it as any program: it holds nothing yet.
  const isEarly = ending === 'SIGTERM' && worker.log === '';
  if (ending !== 0 && !isEarly)
    throw new Error(`TERM while it starts: it ended with ${ending}${endOf(worker)}`);
}

/** The second one takes the timeout away. */
async function twice(stage: Stage): Promise<void> {
  const worker = await atWork(stage, '600');
  worker.terminate();
  await stage.eventually(() => {
    if (worker.logged('stopping: waiting').length === 0) throw new Error('it has not heard the first TERM');
  });
  worker.terminate();
  await endsWell(worker, 'the second TERM');
}

/** At a moment that the seed chooses, from the first word of the stop to after its last. */
async function thenKilled(stage: Stage): Promise<void> {
  const worker = await atWork(stage, '0.3');
  worker.terminate();
  await new Promise((resolve) => setTimeout(resolve, stage.random.below(1_000)));
  await worker.kill();
}

async function atWork(stage: Stage, timeoutSeconds: string): Promise<WorkerProcess> {
  const worker = await stage.worker({ flags: [...leavesOrphans, ...queues, '-t', timeoutSeconds] });
  const jid = await stage.client().enqueue('Chaos::Tracked', [longMs], { queue: 'odd' });
  await stage.eventually(() => {
    const hasBegun = stage.lines().some(({ event, pid }) => event === 'start' && pid === worker.pid);
    if (!hasBegun) throw new Error(`it has begun no job, and ${jid} waits`);
  });
  return worker;
}

async function endsWell(worker: WorkerProcess, when: string): Promise<void> {
  const ending = await worker.ended();
  if (ending !== 0) throw new Error(`${when}: expected exit code 0, got ${ending}${endOf(worker)}`);
}

function endOf({ log }: WorkerProcess): string {
  return `; the end of its log:\n${log.slice(-2_000)}`;
}

export const row: Row = {
  number: 30,
  fault: 'TERM while it starts, claims, begins a job or recovers; TERM twice; TERM, then kill -9',
  holds: ['S1', 'S3', 'L3'],
  run,
};
