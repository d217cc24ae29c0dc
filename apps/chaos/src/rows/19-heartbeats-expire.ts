/**
 * Redis' clock jumps an hour ahead: all heartbeats run out at once, and nobody has died. When more than half of the fleet lapse at
 * one look, all get one TTL to come back, and the living beat within that.
 */

import type { Redis } from 'ioredis';
import type { Row } from '../row.js';
import type { Stage } from '../stage/stage.js';
import { expectAllDone, expectNoRecovery } from './all-done.js';
import { begun, declaredDead, must, same, seen } from './seen.js';

const processes = 3;
const rounds = 3;

export const row: Row = {
  number: 19,
  fault: 'all heartbeats expire at once, three times, as when the clock of Redis jumps an hour ahead',
  holds: ['S4'],
  async run(stage) {
    const redis = stage.connect(await stage.redis());
    const client = stage.client();
    // A beat each 1.4 s: several looks at the heartbeats come between two beats.
    const flags = ['--heartbeat-interval', '1.4', '--recovery-interval', '0.3'];
    for (let started = 0; started < processes; started += 1) await stage.worker({ concurrency: 2, flags });
    const jids = await client.enqueueMany(2 * processes, 'Chaos::Tracked', [12_000]);
    await begun(stage, jids);
    // A look must find most of them without a heartbeat, before they beat again by themselves: mostly it does.
    for (let looks = 0, tries = 0; looks < rounds; tries += 1) {
      must(tries < 4 * rounds, `no look found the heartbeats gone in ${tries} tries`);
      if (await allExpireOnce(stage, redis)) looks += 1;
    }
    await stage.drained();
    same(declaredDead(stage), [], 'instances declared dead');
    for (const jid of jids) same(seen(stage, 'start', jid).length, 1, `starts of ${jid}`);
    const report = await stage.verify();
    expectAllDone(report);
    expectNoRecovery(report);
  },
};

/** Answers whether somebody looked while they were gone. They are all back afterwards. */
async function allExpireOnce(stage: Stage, redis: Redis): Promise<boolean> {
  const beats = (await redis.smembers('tsq:instances')).map((id) => `tsq:instance:${id}`);
  same(beats.length, processes, 'instances that are registered');
  stage.note('other', 'PEXPIRE 0 on all heartbeats');
  const gone = redis.multi();
  for (const beat of beats) gone.pexpire(beat, 0);
  await gone.exec();
  let wasSeen = false;
  await stage.eventually(async () => {
    wasSeen ||= (await redis.exists('tsq:lapses')) === 1;
    same(await redis.exists(...beats), processes, 'heartbeats that are back');
  });
  await stage.eventually(async () => same(await redis.exists('tsq:lapses'), 0, 'notes that all lapsed'));
  return wasSeen;
}
