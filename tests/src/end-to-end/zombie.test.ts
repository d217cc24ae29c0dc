/** S2: a process that was frozen for longer than its TTL has lost its jobs, learns so at its next beat or settle, and goes on. */
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { Recovery } from '@tsq/recovery';
import { useTsqWorkers } from './tsq-worker.js';

const redis = useRedis();
const tsq = useTsqWorkers();

async function enqueue(name: string, ...args: number[]): Promise<string> {
  const client = new Client({ url: redis.url });
  try {
    return (await client.enqueue(name, args)) ?? '';
  } finally {
    await client.close();
  }
}

const happened = (event: string, jid: string, pid: number) =>
  eventually(() => {
    const line = tsq.journal.lines(event).find((each) => each.jid === jid && each.pid === pid);
    if (line === undefined) throw new Error(`no "${event}" of ${jid} by ${pid}`);
    return line;
  }, 30_000);

/** One process that was frozen in the middle of the job, which another one has by now, and woke up again. */
async function zombieWith(name: string, durationMs: number) {
  const zombie = await tsq.start(redis.url, '-c', '1');
  const jid = await enqueue(name, durationMs);
  await happened('start', jid, zombie.pid);
  zombie.signal('SIGSTOP'); // at once: the start of the other one may take longer than the job
  const owner = await tsq.start(redis.url, '-c', '1');
  await happened('start', jid, owner.pid);
  zombie.signal('SIGCONT');
  return { zombie, owner, jid };
}

test("S2: the signal of its job fires with TSQ_CLAIM_LOST, the new owner's run goes on, and so does the zombie, under a new id", async () => {
  const { zombie, owner, jid } = await zombieWith('Interop::Heeding', 600_000);
  expect(await happened('abort', jid, zombie.pid)).toMatchObject({ text: 'TSQ_CLAIM_LOST' });
  expect(zombie.log).toContain('goes on under a new id');
  // The owner has one slot, and that is taken.
  await happened('echo', await enqueue('Interop::Echo', 1), zombie.pid);
  const admin = redis.connect();
  expect(tsq.journal.jids('start').filter((each) => each === jid)).toHaveLength(2);
  expect(tsq.journal.lines('abort')).toHaveLength(1);
  expect((await admin.llen('queue:default')) + (await admin.zcard('retry'))).toBe(0);
  expect(owner.ending).toBeUndefined();
}, 90_000);

/** What the configured listeners of a process heard. */
const heard = (name: string, pid: number) =>
  tsq.journal.lines(name).flatMap((line) => (line.pid === pid ? [JSON.parse(line.text)] : []));

test('operators hear of it in both processes: who died by which rule, what was recovered, whose claim is lost', async () => {
  const { zombie, owner, jid } = await zombieWith('Interop::Heeding', 600_000);
  await happened('abort', jid, zombie.pid);
  const [death] = heard('instance-dead', owner.pid);
  const how = expect.stringContaining('was found dead at');
  expect(death).toEqual({ instance: expect.any(String), rule: 'heartbeat', jobs: 1, how });
  const { instance } = death;
  expect(heard('orphans-recovered', owner.pid)).toMatchObject([
    { instance, rule: 'heartbeat', recovered: 1 },
  ]);
  const lost = { instance, queue: 'default', jid, class: 'Interop::Heeding' };
  expect(heard('claim-lost', zombie.pid)).toMatchObject([lost]);
  const [lapse] = heard('instance-lapsed', zombie.pid);
  expect(lapse).toEqual({ lapsed: instance, fresh: expect.not.stringMatching(instance) });
  const { instances } = await new Recovery(redis.connect()).inspect();
  expect(instances).toHaveLength(2);
  expect(instances).toContainEqual(expect.objectContaining({ id: lapse.fresh, liveness: 'alive', jobs: 0 }));
}, 90_000);

test('S2: what it settles is refused, said so, and writes nothing', async () => {
  const { zombie, owner, jid } = await zombieWith('Interop::Sleeping', 1_000);
  await happened('end', jid, zombie.pid);
  await eventually(() => expect(zombie.log).toContain('The outcome of a job was refused'));
  await happened('end', jid, owner.pid);
  expect(owner.log).not.toContain('The outcome of a job was refused');
  const endings = await Promise.all([zombie, owner].map((worker) => worker.end('SIGTERM')));
  expect(endings).toEqual([0, 0]);
  const admin = redis.connect();
  expect(await admin.keys('tsq:*')).toEqual([]);
  expect(await admin.exists('queue:default', 'retry', 'dead')).toBe(0);
}, 90_000);
