/**
 * Row 11: somebody kills the connections of a process, each of them once, and all of them again and again. It makes them anew;
 * nobody is taken for dead, and no job is claimed twice.
 */
import type { Redis } from 'ioredis';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone, expectNoRecovery } from './all-done.js';
import { expectQuietLog } from './quiet-log.js';

const eachMs = 200;
const stormMs = 3_000;

async function run(stage: Stage): Promise<void> {
  const redis = await stage.redis();
  const workers = [await stage.worker(), await stage.worker()];
  const client = stage.client();
  const admin = stage.connect();
  const load = async () => {
    await client.enqueueMany(10, 'Chaos::Tracked', [300]);
    await client.enqueueMany(10, 'Chaos::Failing', [30, 1]);
  };

  await load();
  const before = await connectionsOf(admin);
  if (!kinds.every((kind) => [...before.values()].some((name) => name.endsWith(kind))))
    throw new Error(`expected connections for ${kinds}, got ${[...before.values()]}`);
  let trouble = redis.trouble('client kill');
  for (const id of before.keys()) {
    await admin.call('CLIENT', 'KILL', 'ID', id);
    await stage.pause(100);
  }
  trouble.over();
  await stage.drained();

  await load();
  trouble = redis.trouble('client kill');
  for (let at = 0; at < stormMs; at += eachMs) {
    for (const id of (await connectionsOf(admin)).keys()) await admin.call('CLIENT', 'KILL', 'ID', id);
    await stage.pause(eachMs);
  }
  trouble.over();
  await stage.drained();
  // Each works again, those of an idle process too.
  await stage.eventually(async () => {
    const names = [...(await connectionsOf(admin)).values()];
    for (const kind of kinds) {
      const count = names.filter((name) => name.endsWith(kind)).length;
      if (count !== workers.length) throw new Error(`${count} connections ${kind} of ${workers.length}`);
    }
  });
  for (const worker of workers) expectQuietLog(worker, 3);
  const report = await stage.verify();
  expectAllDone(report, ['reply lost']);
  expectNoRecovery(report);
}

const kinds = [':claims', ':heartbeat', ':recovery', ':service', ':doorbell'] as const;

/** By their ids. */
async function connectionsOf(admin: Redis): Promise<ReadonlyMap<string, string>> {
  const lines = String(await admin.call('CLIENT', 'LIST'))
    .trim()
    .split('\n');
  const named = lines.flatMap((line) => {
    const [, id, name] = /^id=(\d+) .*\bname=(tsq:\S+)/.exec(line) ?? [];
    return id === undefined || name === undefined ? [] : [[id, name] as const];
  });
  return new Map(named);
}

export const row: Row = {
  number: 11,
  fault: 'each connection of a process killed, once and every 200 ms',
  holds: ['S1', 'S4', 'L1'],
  run,
};
