/**
 * Row 1: kill -9 at each step of a job's way, from before its claim to before the reply to its end. A quiet process, which
 * recovers and takes nothing, sees each death; at the end one that takes jobs runs what was left.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { deathBoundMs } from './death-bound.js';

/** `''`: killed from outside, once a job has begun. */
const steps = [
  ...['claim.before', 'claim.after', 'perform.before', ''],
  ...['perform.after', 'settle.before', 'settle.after'],
] as const;

/** The class, and its args behind the duration. */
const kinds = {
  tracked: ['Chaos::Tracked', []],
  untracked: ['Chaos::Untracked', []],
  failing: ['Chaos::Failing', [1]],
} as const;

type Kind = keyof typeof kinds;

const jobsEach = 2;

interface Case {
  readonly fault: string;
  readonly kind: Kind;
  readonly queue: string;
}

async function run(stage: Stage): Promise<void> {
  await stage.redis();
  const cases = casesOf(stage);
  const watcher = await stage.worker();
  const started = await Promise.all(cases.map((one) => (claimsAtOnce(one) ? undefined : start(stage, one))));
  watcher.signal('SIGTSTP');
  await stage.eventually(() => expectLogged(watcher, 'quiet: takes no new jobs'));
  // One after the other: what takes many at once is left to the heartbeats, and the bound is that of a single death.
  for (const [index, one] of cases.entries()) await die(stage, one, started[index]);
  await finish(stage, cases);
}

/** It comes to its fault as soon as it works, so its jobs must be there first. */
function claimsAtOnce({ fault }: Case): boolean {
  return fault.startsWith('claim');
}

function start(stage: Stage, one: Case): Promise<WorkerProcess> {
  const { fault, queue } = one;
  const until = claimsAtOnce(one) ? 'spawned' : 'ready';
  const flags = ['-q', queue];
  return stage.worker({ flags, until, ...(fault === '' ? {} : { fault: `${fault}:kill` }) });
}

async function die(stage: Stage, one: Case, started: WorkerProcess | undefined): Promise<void> {
  const { fault, kind, queue } = one;
  const [name, more] = kinds[kind];
  await stage.client().enqueueMany(jobsEach, name, [fault === '' ? 2_500 : 300, ...more], { queue });
  const victim = started ?? (await start(stage, one));
  if (fault === '') await killInPerform(stage, victim);
  const ending = await victim.ended();
  if (ending !== 'SIGKILL')
    throw new Error(`${kind} at ${fault}: expected kill -9, and it ended with ${ending}`);
  if (fault !== '') expectLogged(victim, `fault ${fault}:kill`);
  const redis = stage.connect();
  await stage.eventually(async () => {
    const registered = await redis.smembers('tsq:instances');
    const dead = registered.filter((id) => id.includes(`-${victim.pid}-`));
    if (dead.length > 0) throw new Error(`${dead} is still registered, and its process was killed`);
  });
}

async function finish(stage: Stage, cases: readonly Case[]): Promise<void> {
  await stage.worker({ concurrency: 20, flags: cases.flatMap(({ queue }) => ['-q', queue]) });
  await stage.drained();
  const { jobs, done, lostUntracked } = await stage.verify({ deathMs: deathBoundMs(stage) });
  if (done + lostUntracked !== jobs)
    throw new Error(`${jobs} jobs, ${done} done and ${lostUntracked} lost in perform`);
}

async function killInPerform(stage: Stage, victim: WorkerProcess): Promise<void> {
  await stage.eventually(() => {
    const starts = stage.lines().filter(({ event, pid }) => event === 'start' && pid === victim.pid);
    if (starts.length < jobsEach) throw new Error(`${starts.length} of ${jobsEach} jobs have begun`);
  });
  await victim.kill();
}

/** In the small form each step meets one kind, in turn from where the seed says. */
function casesOf({ size, random }: Stage): readonly Case[] {
  const names = Object.keys(kinds) as Kind[];
  const offset = random.below(names.length);
  const chosen = steps.flatMap((fault, index) =>
    (size === 'full' ? names : [names[(index + offset) % names.length] as Kind]).map((kind) => ({
      fault,
      kind,
    })),
  );
  return chosen.map((each, index) => ({ ...each, queue: `step-${index}` }));
}

function expectLogged(worker: WorkerProcess, text: string): void {
  if (!worker.log.includes(text))
    throw new Error(`process ${worker.pid} has not said "${text}":\n${worker.log}`);
}

export const row: Row = {
  number: 1,
  fault: 'kill -9 at each step from before the claim to before the reply to the settle',
  holds: ['S1', 'S2', 'S3', 'S5', 'L1'],
  run,
};
