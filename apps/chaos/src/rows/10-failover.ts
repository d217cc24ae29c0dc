/**
 * Row 10: a failover to a replica that had not heard the last writes. They are Redis' to lose; nothing else is, and late replies of
 * the old primary change nothing. And a failover by a real sentinel, with the worker's own settings for it.
 */
import { SentinelGroup } from '@tsq/core/test-support/outside-jest';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone } from './all-done.js';

async function run(stage: Stage): Promise<void> {
  await withLostTail(stage);
  await bySentinel(stage);
}

async function withLostTail(stage: Stage): Promise<void> {
  const primary = await stage.redis();
  const spare = await stage.redis();
  const link = await stage.proxy(primary);
  const replica = stage.connect(spare);
  await replica.replicaof('127.0.0.1', link.port);
  await stage.eventually(async () => {
    if (!(await replica.info('replication')).includes('master_link_status:up'))
      throw new Error('no link yet');
  });
  const via = [await stage.proxy(primary), await stage.proxy(primary)];
  const workers = await Promise.all(via.map((proxy) => stage.worker({ via: proxy })));
  await load(stage, primary.url);
  await stage.pause(stage.random.below(400));

  const since = primary.now();
  link.mode = 'hole';
  await load(stage, primary.url);
  await stage.pause(300 + stage.random.below(300));
  await primary.kill();
  await replica.replicaof('NO', 'ONE');
  spare.lostTail(since, 'failover');
  for (const proxy of via) proxy.retarget(spare.port);

  await load(stage, spare.url);
  await stage.drained(60_000, spare);
  for (const worker of workers)
    if (!worker.isRunning) throw new Error(`a worker ended with ${worker.ending}`);
  const report = await stage.verify({}, spare);
  expectAllDone({ ...report, jobs: report.jobs - report.lostWithTail }, [
    'lost tail',
    'false death',
    'reply lost',
  ]);
}

/** A history of its own is not needed: after a failover with a replica in sync all that was acknowledged is there. */
async function bySentinel(stage: Stage): Promise<void> {
  const group = new SentinelGroup();
  stage.atEnd(() => group.stop());
  await group.start();
  const flags = ['--sentinel', group.node, '--sentinel-master', 'mymaster'];
  const worker = await stage.worker({ url: 'redis://127.0.0.1:1/0', flags });
  const one = group.one.connect();
  one.on('error', () => undefined); // it dies
  const other = group.other.connect();
  const inHand = await stage.client(group.one.url).enqueueMany(4, 'Chaos::Tracked', [3_000]);
  await stage.eventually(async () => {
    const held = await one.keys('tsq:job:*');
    if (held.length < inHand.length) throw new Error(`${held.length} jobs are claimed`);
  });
  await stage.eventually(async () => {
    const held = await other.keys('tsq:job:*');
    if (held.length < inHand.length) throw new Error(`the replica knows ${held.length} of them`);
  });
  await group.one.kill();
  await group.untilNotOn(group.one.port);
  await stage.eventually(() => {
    const [line] = worker.logged('Redis is back');
    if (line === undefined) throw new Error('it has not found the new primary');
  });
  const later = await stage.client(group.other.url).enqueueMany(4, 'Chaos::Tracked', [20]);
  await stage.eventually(async () => {
    const ended = stage.lines().flatMap((line) => (line.event === 'end' ? [line.jid] : []));
    for (const jid of [...inHand, ...later]) {
      const count = ended.filter((each) => each === jid).length;
      if (count !== 1) throw new Error(`a job has ended ${count} times`);
    }
    const left = await other.keys('tsq:job:*');
    if (left.length > 0) throw new Error(`${left.length} ends are not written`);
  });
  await worker.stop();
}

async function load(stage: Stage, url: string): Promise<void> {
  const client = stage.client(url);
  await client.enqueueMany(10, 'Chaos::Tracked', [100]);
  await client.enqueueMany(5, 'Chaos::Failing', [20, 1]);
  await client.enqueueMany(5, 'Chaos::Untracked', [20]);
}

export const row: Row = {
  number: 10,
  fault: 'failover to a replica that lacks the last writes, and failover by a sentinel',
  holds: ['S1', 'S5'],
  run,
};
