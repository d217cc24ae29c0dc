import { describe, expect, test } from '@jest/globals';
import { eventually, useRedis } from '@tsq/core/test-support';
import { Keyspace } from '@tsq/tracker';
import { fetchOrder, hold, keysLeft } from './test-support/claims.js';
import { InstanceProcess } from './test-support/start-instance.js';

const keyspace = new Keyspace();

describe('when processes die', () => {
  const redis = useRedis();
  const settings = () => ({
    url: redis.url,
    heartbeat: { intervalMs: 200, ttlMs: 1_000 },
    recoverer: { intervalMs: 200, startDelayMs: 0 },
  });
  const bytes = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);

  test('L1: what a process held that was killed with SIGKILL is back on its queues, and the living keep theirs', async () => {
    await using killed = await InstanceProcess.start(settings());
    await using living = await InstanceProcess.start(settings());
    const admin = redis.connect();
    await hold(admin, keyspace, killed.id, [
      { queue: 'a@b:c.d', bytes },
      { queue: 'q', bytes: 'one' },
      { queue: 'q', bytes: 'two' },
    ]);
    await hold(admin, keyspace, living.id, [{ queue: 'q', bytes: 'kept' }]);
    killed.signal('SIGKILL');
    const report = await living.hear('recovered');
    expect(report).toMatchObject({ instance: killed.id, recovered: 3, missing: 0, remaining: 0 });
    expect(await fetchOrder(admin, 'q')).toEqual(['one', 'two']);
    expect(await admin.lrangeBuffer('queue:a@b:c.d', 0, -1)).toEqual([bytes]);
    expect(await admin.scard(keyspace.jobs(living.id))).toBe(1);
    expect(await admin.smembers(keyspace.instances)).toEqual([living.id]);
  });

  test('S2: a process that was frozen for longer than its TTL wakes up as another instance, and its claims are gone', async () => {
    await using frozen = await InstanceProcess.start(settings());
    await using living = await InstanceProcess.start(settings());
    const admin = redis.connect();
    await hold(admin, keyspace, frozen.id, [{ queue: 'q', bytes: 'one' }]);
    frozen.signal('SIGSTOP');
    await living.hear('recovered');
    expect(await fetchOrder(admin, 'q')).toEqual(['one']);
    frozen.signal('SIGCONT');
    const { fresh, lapsed } = await frozen.hear('lapse');
    expect(lapsed).toBe(frozen.id);
    await eventually(async () =>
      expect((await admin.smembers(keyspace.instances)).toSorted()).toEqual([fresh, living.id].toSorted()),
    );
    expect(await admin.exists(keyspace.instance(frozen.id), keyspace.jobs(frozen.id))).toBe(0);
  });

  test('L3: after the last process has ended, one of them by SIGKILL, no key of the namespace is left', async () => {
    await using killed = await InstanceProcess.start(settings());
    await using last = await InstanceProcess.start(settings());
    const admin = redis.connect();
    await hold(admin, keyspace, killed.id, [{ queue: 'q', bytes: 'one' }]);
    killed.signal('SIGKILL');
    await last.hear('recovered');
    last.tell('stop');
    expect(await last.ended()).toBe(0);
    expect(await keysLeft(admin, keyspace)).toEqual([]);
    expect(await fetchOrder(admin, 'q')).toEqual(['one']);
  });

  describe('with 30 s between beats and a TTL of 90 s, as by default', () => {
    const byDefault = () => ({ url: redis.url, heartbeat: {}, recoverer: {} });

    test('L1: what a killed process held is back long before its TTL, the living keep theirs, and no key is left', async () => {
      await using living = await InstanceProcess.start(byDefault());
      await using killed = await InstanceProcess.start(byDefault());
      const admin = redis.connect();
      await hold(admin, keyspace, killed.id, [{ queue: 'q', bytes: 'one' }]);
      await hold(admin, keyspace, living.id, [{ queue: 'q', bytes: 'kept' }]);
      await eventually(async () => expect(await admin.hlen(keyspace.sightings)).toBe(2));
      killed.signal('SIGKILL');
      const report = await living.hear('recovered', 1, 30_000);
      expect(report).toMatchObject({ instance: killed.id, rule: 'connections', recovered: 1, remaining: 0 });
      expect(await fetchOrder(admin, 'q')).toEqual(['one']);
      expect(await admin.smembers(keyspace.instances)).toEqual([living.id]);
      await admin.del(keyspace.jobs(living.id), ...(await admin.keys(`${keyspace.jobPrefix}*`)));
      living.tell('stop');
      expect(await living.ended()).toBe(0);
      expect(await keysLeft(admin, keyspace)).toEqual([]);
    });

    test('S4: a process whose connections are cut again and again is not taken for dead', async () => {
      await using living = await InstanceProcess.start(byDefault());
      await using cut = await InstanceProcess.start(byDefault());
      const admin = redis.connect();
      await eventually(async () => expect(await admin.hlen(keyspace.sightings)).toBe(2));
      for (let times = 0; times < 20; times += 1) {
        const mine = await eventually(async () => {
          const found =
            String(await admin.client('LIST')).match(new RegExp(`^id=\\d+ .*${cut.id}.*$`, 'gm')) ?? [];
          expect(found.length).toBeGreaterThan(1); // all are back
          return found;
        });
        for (const line of mine) await admin.client('KILL', 'ID', line.slice(3).split(' ')[0] ?? '');
      }
      expect(cut.count('lapse') + living.count('recovered')).toBe(0);
      expect((await admin.smembers(keyspace.instances)).toSorted()).toEqual([cut.id, living.id].toSorted());
    });
  });
});
