/**
 * A process that is frozen for less than its TTL is nobody's business: its beat is young enough all the time, by the only
 * clock that counts, so no job of it may be taken.
 */
import type { Redis } from 'ioredis';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import type { WorkerProcess } from '../stage/worker-process.js';
import { begun, declaredDead, ended, must, same, seen } from './seen.js';

const rounds = 3;
/** Of the TTL of 3 s, just after a beat. */
const freshMs = 2_800;
/** One beat before the others would take it for dead. */
const lastBeatMs = 1_000;

export const row: Row = {
  number: 4,
  fault: 'SIGSTOP for the TTL less one beat, three times',
  holds: ['S4'],
  async run(stage) {
    const redis = stage.connect(await stage.redis());
    const client = stage.client();
    const frozen = await stage.worker({ concurrency: 2 });
    const jids = await client.enqueueMany(2, 'Chaos::Tracked', [6_000]);
    await begun(stage, jids, frozen.pid);
    const other = await stage.worker({ concurrency: 2 });
    const heartbeat = await heartbeatOf(redis, frozen);
    for (let round = 0; round < rounds; round += 1) await freezeOnce(stage, redis, frozen, heartbeat);
    await ended(stage, jids, frozen.pid);
    await stage.drained();
    same(declaredDead(stage), [], 'instances declared dead');
    for (const jid of jids) same(seen(stage, 'start', jid).length, 1, `starts of ${jid}`);
    same(other.logged('recovered'), [], 'what the other logged of recovery');
    const report = await stage.verify();
    same([report.refusedSettles, report.recoveries], [0, []], 'refused settles and recoveries');
  },
};

async function heartbeatOf(redis: Redis, worker: WorkerProcess): Promise<string> {
  const id = (await redis.smembers('tsq:instances')).find((each) => each.includes(`-${worker.pid}-`));
  if (id === undefined) throw new Error(`no instance of pid ${worker.pid} is registered`);
  return `tsq:instance:${id}`;
}

/** From just after a beat until one beat before the end, both by Redis' clock. */
async function freezeOnce(
  stage: Stage,
  redis: Redis,
  worker: WorkerProcess,
  heartbeat: string,
): Promise<void> {
  await stage.eventually(async () => {
    const leftMs = await redis.pttl(heartbeat);
    must(leftMs >= freshMs, `expected a fresh beat, got one with ${leftMs} ms left`);
  });
  worker.freeze();
  await stage.eventually(async () => {
    const leftMs = await redis.pttl(heartbeat);
    must(leftMs <= lastBeatMs, `expected a beat that is nearly over, got one with ${leftMs} ms left`);
  });
  worker.thaw();
}
