/** Defects 17 and 18 of the tracker gem: what it does to a payload that it puts back, and to a lock that is another gem's. */
import { describe, expect, test } from '@jest/globals';
import { eventually, useRedis } from '@tsq/core/test-support';
import { Recoverer } from '@tsq/recovery';
import { Instance, type InstanceId, type Member, memberOf } from '@tsq/tracker';
import type { ScriptTexts } from '../model/lua-scripts.js';
import { keyspace, mutant, Stage } from './stage.js';

/** Whoever decodes and encodes this changes it. */
const payload =
  '{"jid":"odd","args":[1.0, 12345678901234567890,"<&>\\u2028"],"10":1,"2":2,"class":"A","queue":"other","enqueued_at":1795466562}';

describe('the gem changes what it puts back', () => {
  const redis = useRedis();

  test('defect 17: mutated payload: the same bytes go to the head of the queue that they came from', async () => {
    const admin = redis.connect();
    const line = async (texts?: ScriptTexts) => {
      await redis.empty();
      const stage = new Stage(admin, texts);
      await stage.lives('A');
      await stage.push('q', payload);
      await stage.claim('A');
      await stage.push('q', 'waits');
      await stage.dies('A');
      await stage.recover('A');
      return (await admin.lrange('queue:q', 0, -1)).reverse();
    };
    expect(await line()).toEqual([payload, 'waits']);
    expect(await admin.keys('queue:*')).toEqual(['queue:q']);
    const toTheBack = mutant('recover', "goes_next and 'RPUSH' or 'LPUSH'", "'LPUSH'");
    expect(await line(toTheBack)).toEqual(['waits', payload]);
  });

  test('defect 17: a job that kills each process it runs in is put back three times, then it is in dead, with its bytes and the reason', async () => {
    const stage = new Stage(redis.connect());
    const { admin } = stage;
    const fast = { startDelayMs: 0, intervalMs: 30, watchIntervalMs: 0 };
    const recoverer = new Recoverer({ location: { url: redis.url }, instance: new Instance('r'), ...fast });
    await recoverer.start();
    try {
      await stage.push('q', payload);
      for (let death = 1; death <= 4; death += 1) {
        const id = `A${death}` as InstanceId;
        expect(await stage.placesOf(payload)).toEqual(['queue:q']); // before each death, so it was put back thrice
        await stage.lives(id);
        const [claim] = await stage.claim(id);
        if (claim === undefined) throw new Error('nothing was claimed');
        const member: Member = memberOf(id, claim.batch, claim.index, claim.queue);
        await admin.set(keyspace.suspect(id), member); // it was running
        await stage.dies(id);
        await eventually(async () => expect(await admin.exists(keyspace.jobs(id))).toBe(0));
      }
      expect(await admin.llen('queue:q')).toBe(0);
      const [dead] = await admin.zrange('dead', '0', '-1');
      expect(dead?.startsWith(payload.slice(0, -1))).toBe(true);
      expect(dead).toContain('TSQ_JOB_POISON');
    } finally {
      await recoverer.stop(AbortSignal.abort());
    }
  });

  test("defect 18: unique_digest: recovery touches no key but the job's, so a lock holds from the push to the end", async () => {
    const admin = redis.connect();
    const locks = async (texts?: ScriptTexts) => {
      await redis.empty();
      const stage = new Stage(admin, texts);
      const unique = payload.replace('{', '{"unique_digest":"uniquejobs:abc",');
      await admin.hset('uniquejobs:abc:LOCKED', 'odd', '1795466562.5');
      await admin.set('uniquejobs:abc', 'odd');
      await stage.lives('A');
      await stage.push('q', unique);
      await stage.claim('A');
      await stage.dies('A');
      await stage.recover('A');
      expect(await stage.placesOf(unique)).toEqual(['queue:q']);
      return (await admin.keys('uniquejobs:*')).toSorted();
    };
    expect(await locks()).toEqual(['uniquejobs:abc', 'uniquejobs:abc:LOCKED']);
    const declared = "local declared = redis.call('SREM', KEYS[1], id)";
    const unlocks = mutant('recover', declared, `redis.call('DEL', 'uniquejobs:abc') ${declared}`);
    expect(await locks(unlocks)).toEqual(['uniquejobs:abc:LOCKED']);
  });
});
