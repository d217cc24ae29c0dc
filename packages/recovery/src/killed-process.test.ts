import { describe, expect, test } from '@jest/globals';
import { eventually, useRedis } from '@tsq/core/test-support';
import { Keyspace } from '@tsq/tracker';
import { fetchOrder, hold } from './test-support/claims.js';
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
    expect(await admin.keys('tsq:*')).toEqual([]);
    expect(await fetchOrder(admin, 'q')).toEqual(['one']);
  });
});
