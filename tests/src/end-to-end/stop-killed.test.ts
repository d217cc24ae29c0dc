/**
 * S1, S2, S5: kill -9 at each step of a stop. However far it had come, each job is in its queue, in a claim that recovery
 * finds, or has ended; what goes back are the same bytes; and nothing of it runs twice but what was cut off while it ran.
 *
 * All processes stop and die together, each on a queue of its own: starting them is what takes the time.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type FaultName, keys } from '@tsq/core';
import { eventually, TestRedis } from '@tsq/core/test-support';
import { startTsqWorkers, type TsqWorker } from './tsq-worker.js';

/** What runs when TERM comes: `long` outlasts the timeout and goes back, `short` ends in time. */
type Jobs = 'long' | 'short';

const moments: readonly [step: string, fault: FaultName, jobs: Jobs][] = [
  ['before it takes no more jobs', 'quiet.before', 'long'],
  ['when it takes no more jobs', 'quiet.after', 'long'],
  ['when a job has ended, and nobody knows', 'perform.after', 'short'],
  ['before the end of a job that was waited for is sent', 'settle.before', 'short'],
  ['before the reply to it', 'settle.after', 'short'],
  ['when the deadline has passed, before jobs go back', 'requeue.before', 'long'],
  ['before the jobs that go back are sent', 'settle.before', 'long'],
  ['before the reply to it, when they go back', 'settle.after', 'long'],
  ['when all jobs are back', 'requeue.after', 'long'],
  ['when all jobs have ended', 'requeue.after', 'short'],
  ['before the instance deregisters', 'deregister.before', 'long'],
  ['before the reply to its goodbye', 'deregister.after', 'long'],
];

/** Three of them run, the others wait in their queue. */
const jobsEach = 5;
const running = 3;

interface Case {
  readonly queue: string;
  readonly worker: TsqWorker;
  readonly pushed: readonly string[];
  /** Where the payloads were when its process was dead, before anybody recovered it. */
  readonly left: { readonly queued: readonly string[]; readonly claimed: readonly string[] };
}

describe('S1 S2 S5: a worker that is killed while it stops,', () => {
  const redis = new TestRedis();
  const tsq = startTsqWorkers();
  let cases: readonly Case[] = [];

  beforeAll(async () => {
    await redis.start();
    const admin = redis.connect();
    const prepared = await Promise.all(
      moments.map(async ([, fault, jobs], index) => {
        const queue = `stop-${index}`;
        const pushed = Array.from({ length: jobsEach }, (_, at) => payload(queue, at, jobs));
        await admin.lpush(keys.queue(queue), ...pushed);
        const flags = ['-q', queue, '-c', String(running), '-t', jobs === 'long' ? '0.2' : '20'];
        return {
          queue,
          pushed,
          worker: await tsq.startFaulty(`${fault}:kill`, redis.url, ...flags, ...apart),
        };
      }),
    );
    cases = await Promise.all(
      prepared.map(async (each) => {
        await eventually(() => expect(startedBy(each.worker)).toBe(running), 30_000);
        await each.worker.end('SIGTERM');
        return { ...each, left: await whereAll(each.queue, each.worker) };
      }),
    );
  }, 120_000);

  afterAll(async () => {
    await tsq.end();
    redis.closeConnections();
    await redis.expectNobodyConnected();
    await redis.stop();
  });

  test.each(moments.map(([step, fault, jobs], index) => [step, jobs, fault, index] as const))(
    '%s (%s jobs), loses nothing',
    (_step, jobs, fault, index) => {
      const { worker, pushed, left } = cases[index] as Case;
      expect(worker.ending).toBe('SIGKILL');
      expect(worker.log).toContain(`fault ${fault}:kill in process ${worker.pid}`);
      const settled = pushed.filter((bytes) => ![...left.queued, ...left.claimed].includes(bytes));
      // In one place each, and byte for byte what was pushed.
      expect([...left.queued, ...left.claimed, ...settled].toSorted()).toEqual(pushed.toSorted());
      // Only what had ended is nowhere.
      const ends = tsq.journal.lines('end').filter(({ pid }) => pid === worker.pid);
      expect(settled.map(jidOf).filter((jid) => !ends.some((line) => line.jid === jid))).toEqual([]);
      if (jobs === 'long') expect(settled).toEqual([]);
    },
  );

  test('what was not ended runs again on the next process, once, and no key is left of all that were killed', async () => {
    tsq.journal.openGate();
    const queues = cases.flatMap(({ queue }) => ['-q', queue]);
    const survivor = await tsq.start(redis.url, '-c', '60', ...queues);
    const all = cases.flatMap(({ pushed }) => pushed.map(jidOf));
    const unended = () => all.filter((jid) => !tsq.journal.jids('end').includes(jid));
    await eventually(() => expect(unended()).toEqual([]), 30_000);
    expect(cases.flatMap(endedWronglyOften)).toEqual([]);
    const admin = redis.connect();
    await eventually(async () => expect(await admin.scard('tsq:instances')).toBe(1), 30_000);
    expect(await survivor.end('SIGTERM')).toBe(0);
    expect(await admin.keys('tsq:*')).toEqual([]);
  }, 90_000);

  /** Nobody recovers anybody before all are dead: their recoverers wait. */
  const apart = ['--recovery-start-delay', '600', '--recovery-watch-interval', '0', '--heartbeat-ttl', '4'];

  const startedBy = ({ pid }: TsqWorker) =>
    tsq.journal.lines('start').filter((line) => line.pid === pid).length;

  /** A second end is explained when the process was killed after the first, before Redis had heard of it. */
  function endedWronglyOften({ worker, pushed, left }: Case): readonly string[] {
    return pushed.filter((bytes) => {
      const ends = tsq.journal.lines('end').filter((line) => line.jid === jidOf(bytes));
      const isExplained = left.claimed.includes(bytes) && ends.some(({ pid }) => pid === worker.pid);
      return ends.length !== (isExplained ? 2 : 1);
    });
  }

  async function whereAll(queue: string, { pid }: TsqWorker) {
    const admin = redis.connect();
    const queued = await admin.lrange(keys.queue(queue), 0, -1);
    const owners = await admin.keys(`tsq:jobs:*-${pid}-*`);
    const members = owners.length === 0 ? [] : await admin.sunion(...owners);
    const payloads =
      members.length === 0 ? [] : await admin.mget(members.map((member) => `tsq:job:${member}`));
    return { queued, claimed: payloads.map(String) };
  }
});

function payload(queue: string, at: number, jobs: Jobs): string {
  const jid = `${queue}-${at}`.padEnd(24, '0');
  // Two spaces and 1.0: what is encoded anew would differ.
  return `{"class":"Interop::Gated",  "args":[${jobs === 'short'}],"queue":"${queue}","jid":"${jid}","x":1.0}`;
}

function jidOf(bytes: string): string {
  return JSON.parse(bytes).jid;
}
