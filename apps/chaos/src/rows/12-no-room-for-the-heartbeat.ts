/**
 * Row 12: the connection of a heartbeat is killed while Redis takes no further ones (maxclients). The process lives, and so do
 * its other connections: nobody is declared dead before the TTL is over.
 */
import type { Redis } from 'ioredis';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone, expectNoRecovery } from './all-done.js';
import { expectQuietLog, expectStates } from './quiet-log.js';

const fullMs = 3_000;
/** Longer than there is no room; a look at the connections comes all the same each 0.5 s. */
const flags = ['--heartbeat-ttl', '8'];

async function run(stage: Stage): Promise<void> {
  const redis = await stage.redis();
  const proxy = await stage.proxy();
  const shutOut = await stage.worker({ via: proxy, flags, concurrency: 3 });
  const looker = await stage.worker({ flags, concurrency: 3 });
  const client = stage.client();
  const admin = stage.connect();
  await client.enqueueMany(6, 'Chaos::Tracked', [fullMs + 3_000]);
  await stage.eventually(() => {
    const begun = stage.lines().filter(({ event }) => event === 'start').length;
    if (begun < 6) throw new Error(`of 6 jobs, ${begun} run`);
  });
  // The looker has seen it.
  await stage.eventually(async () => {
    if ((await admin.hlen('tsq:sightings')) < 2) throw new Error('not all were seen');
  });
  const trouble = redis.trouble('maxclients');
  const clients = String(await admin.call('CLIENT', 'LIST'))
    .trim()
    .split('\n');
  const own = clients.filter((line) => line.includes(`-${shutOut.pid}-`)).length;
  // Once they are cut as many are left as may be: none of them comes back.
  await admin.config('SET', 'maxclients', String(clients.length - own));
  const rejected = await rejections(admin);
  proxy.cutAll();
  await stage.pause(fullMs);
  if ((await rejections(admin)) === rejected) throw new Error('expected that connections are refused');
  await admin.config('SET', 'maxclients', '10000');
  trouble.over();
  await stage.drained();
  await stage.eventually(() => {
    // The server says why and hangs up, and the process may hear only the second.
    expectStates(shutOut, 'Redis is back', 1);
  });
  for (const worker of [shutOut, looker]) expectQuietLog(worker, 1);
  const report = await stage.verify({ heartbeatTtlMs: 8_000 });
  expectAllDone(report, ['reply lost']);
  expectNoRecovery(report);
}

async function rejections(admin: Redis): Promise<number> {
  return Number(/rejected_connections:(\d+)/.exec(await admin.info('stats'))?.[1]);
}

export const row: Row = {
  number: 12,
  fault: 'maxclients reached while the connections of a heartbeat are killed',
  holds: ['S4'],
  run,
};
