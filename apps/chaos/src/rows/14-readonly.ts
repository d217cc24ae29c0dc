/**
 * Row 14: the address of Redis leads to a replica, as it does for a while after a failover. Nothing is popped there; the process
 * waits, with one line in the log, and goes on where the writes are.
 */
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone, expectNoRecovery } from './all-done.js';
import { expectQuietLog, expectStates, saidOfRedis } from './quiet-log.js';

const resumesWithinMs = 10_000;
const misledMs = 2_000;

async function run(stage: Stage): Promise<void> {
  const primary = await stage.redis();
  const replica = await stage.redis({ flags: ['--replicaof', '127.0.0.1', String(primary.port)] });
  const proxy = await stage.proxy();
  // 2 s without a beat are no death here, and the row needs no second process.
  const worker = await stage.worker({ via: proxy, flags: ['--heartbeat-ttl', '6'] });
  const client = stage.client();
  await client.enqueueMany(5, 'Chaos::Tracked', [3_000]);
  await stage.eventually(() => {
    if (!stage.lines().some(({ event }) => event === 'start')) throw new Error('nothing runs yet');
  });
  proxy.retarget(replica.port);
  stage.note('network', 'to a replica', worker.pid);
  const waiting = await client.enqueueMany(20, 'Chaos::Tracked', [20]);
  await client.enqueueMany(5, 'Chaos::Failing', [20, 1]);
  await stage.eventually(() => expectStates(worker, 'Redis is a replica', 1));
  await stage.pause(misledMs);
  const left = await stage.connect().llen('queue:default');
  if (left !== waiting.length + 5) throw new Error(`${waiting.length + 5} jobs waited, and ${left} are left`);
  if (worker.log.includes("You can't write"))
    throw new Error(`a command went to the replica:\n${saidOfRedis(worker)}`);

  proxy.retarget(primary.port);
  stage.note('network-over', 'to a replica', worker.pid);
  await stage.eventually(() => {
    const begun = new Set(stage.lines().flatMap((line) => (line.event === 'start' ? [line.jid] : [])));
    if (!waiting.some((jid) => begun.has(jid))) throw new Error('it does not take jobs again');
  }, resumesWithinMs);
  await stage.drained();
  await stage.eventually(() => expectStates(worker, 'Redis is back', 1));
  await demote(stage, worker.pid);
  await stage.eventually(() => expectStates(worker, 'Redis is back', 2));
  expectQuietLog(worker, 2);
  const report = await stage.verify({ heartbeatTtlMs: 6_000 });
  expectAllDone(report, ['reply lost']);
  expectNoRecovery(report);
}

/** Under its feet: the connections stay, and what they ask for is refused. */
async function demote(stage: Stage, pid: number): Promise<void> {
  const admin = stage.connect();
  const busy = stage.client().enqueueMany(10, 'Chaos::Tracked', [500]);
  await busy;
  stage.note('network', 'demoted', pid);
  await admin.call('REPLICAOF', '127.0.0.1', '1');
  await stage.pause(misledMs);
  await admin.call('REPLICAOF', 'NO', 'ONE');
  stage.note('network-over', 'demoted', pid);
  await stage.drained();
}

export const row: Row = {
  number: 14,
  fault: 'READONLY: the address leads to a replica, and the primary is made one',
  holds: ['S1', 'S4'],
  run,
};
