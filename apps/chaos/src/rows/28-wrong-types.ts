/**
 * Somebody has written to each of the tracker's keys, in turn, with a value of another type. No job may be lost for it: either
 * jobs go on, or they stay where they are and the process says which key is in the way; and when the key is gone, all goes on.
 */
import { type InstanceId, Keyspace } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { begun, ended, must, same, seen } from './seen.js';

const keyspace = new Keyspace();

/** Every key that a Keyspace names, whatever joins them; `job` holds a payload, which is gone when it is written over. */
const names = Object.getOwnPropertyNames(Keyspace.prototype).filter(
  (name) => !['constructor', 'job', 'jobPrefix'].includes(name),
);
/** Of the whole fleet; the others are of one instance. */
const shared = names.filter((name) => typeof Reflect.get(keyspace, name) === 'string');

export const row: Row = {
  number: 28,
  fault:
    'a value of the wrong type at each of our keys, before a start, while jobs run, and while orphans wait',
  holds: ['S1'],
  async run(stage) {
    must(
      shared.length > 5 && names.length > shared.length + 3,
      `expected the keys of the tracker, got ${names}`,
    );
    const redis = stage.connect(await stage.redis());
    const worker = await stage.worker();
    for (const name of names) await whileIdle(stage, redis, worker, name);
    await payloadOverwritten(stage, redis, worker);
    await whileOrphansWait(stage, redis);
    await beforeTheStart(stage, redis);
    await stage.verify();
  },
};

/** Two jobs are pushed while the key is wrong. */
async function whileIdle(stage: Stage, redis: Redis, worker: WorkerProcess, name: string): Promise<void> {
  const key = keyOf(name, await idOf(redis, worker));
  const before = troublesOf(worker).length;
  await writeOver(redis, key);
  const jids = await stage.client().enqueueMany(2, 'Chaos::Tracked', [5]);
  const isNamed = () =>
    troublesOf(worker)
      .slice(before)
      .some((line) => line.includes(`"${key}"`));
  await stage.eventually(() =>
    must(haveEnded(stage, jids) || isNamed(), `nobody names ${key}, which is wrong`),
  );
  await noneIsLost(stage, jids, key);
  await redis.del(key);
  await ended(stage, jids);
}

/** Its process knows what it runs, so even that loses nothing while it lives. */
async function payloadOverwritten(stage: Stage, redis: Redis, worker: WorkerProcess): Promise<void> {
  const [jid = ''] = await stage.client().enqueueMany(1, 'Chaos::Tracked', [300]);
  await begun(stage, [jid], worker.pid);
  const [member] = await redis.smembers(keyspace.jobs(await idOf(redis, worker)));
  await writeOver(redis, `${keyspace.jobPrefix}${member}`);
  await ended(stage, [jid], worker.pid);
  await stage.drained();
  same(seen(stage, 'start', jid).length, 1, `starts of ${jid}`);
}

/** All that recovery looks at is wrong at once; the claims of the dead stay until it is right again. */
async function whileOrphansWait(stage: Stage, redis: Redis): Promise<void> {
  const killed = await stage.worker({ flags: ['-q', 'orphans'] });
  const jids = await stage.client().enqueueMany(3, 'Chaos::Tracked', [1_500], { queue: 'orphans' });
  await begun(stage, jids, killed.pid);
  const id = await idOf(redis, killed);
  // Whoever destroys the registry destroys who was in it: that it was this one, nobody knows any more.
  const wrong = shared.filter((name) => name !== 'instances');
  for (const name of wrong) await writeOver(redis, keyOf(name, id));
  await killed.kill();
  // Who says it once a reason says it in its log: in that of a new one nothing is yet.
  const witness = await stage.worker({ flags: ['-q', 'other'] });
  await stage.eventually(async () =>
    same(await redis.exists(keyspace.instance(id)), 0, 'heartbeat of the killed one'),
  );
  const lock = `"${keyspace.recoveryLock}"`;
  await stage.eventually(() =>
    must(
      troublesOf(witness).some((line) => line.includes(lock)),
      `nobody names ${lock}, which keeps recovery from working`,
    ),
  );
  await noneIsLost(stage, jids, wrong.join(', '));
  for (const name of wrong) await redis.del(keyOf(name, id));
  await stage.eventually(async () => same(await redis.llen('queue:orphans'), 3, 'orphans put back'));
  const other = await stage.worker({ flags: ['-q', 'orphans'] });
  await ended(stage, jids, other.pid);
}

/** It starts, or says why it does not; what waits is not touched meanwhile. */
async function beforeTheStart(stage: Stage, redis: Redis): Promise<void> {
  await stage.stopWorkers();
  const none = 'nobody' as InstanceId;
  for (const name of shared) await writeOver(redis, keyOf(name, none));
  const jids = await stage.client().enqueueMany(2, 'Chaos::Tracked', [5]);
  const worker = await stage.worker({ until: 'spawned' });
  const isNamed = () => troublesOf(worker).some((line) => line.includes(`"${keyspace.instances}"`));
  await stage.eventually(() =>
    must(isNamed(), `the start does not name ${keyspace.instances}, which is wrong`),
  );
  same(await redis.llen('queue:default'), 2, 'jobs that wait while the keys are wrong');
  for (const name of shared) await redis.del(keyOf(name, none));
  await stage.untilReady(worker);
  await ended(stage, jids, worker.pid);
}

/** Each is done, or in exactly one place. */
async function noneIsLost(stage: Stage, jids: readonly string[], key: string): Promise<void> {
  const { jobs } = await stage.finalState();
  const nowhere = jids.filter(
    (jid) => !jobs.some((job) => job.jid === jid) && seen(stage, 'start', jid).length === 0,
  );
  same(nowhere, [], `jobs that are nowhere, with ${key} wrong`);
}

function haveEnded(stage: Stage, jids: readonly string[]): boolean {
  return jids.every((jid) => seen(stage, 'end', jid).length > 0);
}

/** Lines that say that something is not right. */
function troublesOf(worker: WorkerProcess): readonly string[] {
  const lines = worker.logLines.filter(({ level }) => ['warn', 'error', 'fatal'].includes(String(level)));
  return lines.map((line) => JSON.stringify(line));
}

async function idOf(redis: Redis, worker: WorkerProcess): Promise<InstanceId> {
  const id = (await redis.smembers(keyspace.instances)).find((each) => each.includes(`-${worker.pid}-`));
  if (id === undefined) throw new Error(`no instance of pid ${worker.pid} is registered`);
  return id as InstanceId;
}

function keyOf(name: string, id: InstanceId): string {
  const key: unknown = Reflect.get(keyspace, name, keyspace);
  return typeof key === 'function' ? String(Reflect.apply(key, keyspace, [id])) : String(key);
}

/** A stream: no key of ours is one. */
async function writeOver(redis: Redis, key: string): Promise<void> {
  await redis.multi().del(key).xadd(key, '*', 'no', 'key of ours').exec();
}
