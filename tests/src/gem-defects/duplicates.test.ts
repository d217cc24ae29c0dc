/** Defects 5 to 8 of the tracker gem: places where it runs a job twice, or forgets one for having done so. */
import { describe, expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import { useTsqWorkers } from '../end-to-end/tsq-worker.js';
import { endOf, keyspace, recoveryScript, Stage } from './stage.js';

const gem = new Keyspace('sidekiq_assured_jobs');

describe('the gem runs jobs twice', () => {
  const redis = useRedis();
  const tsq = useTsqWorkers();

  async function enqueue(name: string, ...args: (string | number)[]): Promise<string> {
    const client = new Client({ url: redis.url });
    const jid = (await client.enqueue(name, args)) ?? '';
    await client.close();
    return jid;
  }

  const runsOf = (jid: string) => ({
    starts: tsq.journal.jids('start').filter((each) => each === jid).length,
    ends: tsq.journal.jids('end').filter((each) => each === jid).length,
  });
  const started = (jid: string) => eventually(() => expect(runsOf(jid).starts).toBe(1));

  test('defect 5: a slow stop: while a stopped process finishes its job, nobody takes it for dead', async () => {
    const stopping = await tsq.start(redis.url, '-c', '1', '-t', '30');
    const jid = await enqueue('Interop::Sleeping', 5_000); // two and a half TTLs
    await started(jid);
    const other = await tsq.start(redis.url, '-c', '1');
    expect(await stopping.end('SIGTERM')).toBe(0);
    expect(runsOf(jid)).toEqual({ starts: 1, ends: 1 });
    // The check sees a second run where there is one: a heartbeat that ends while the job goes on, as the gem's hook does it.
    const again = await enqueue('Interop::Sleeping', 5_000);
    await started(again);
    const admin = redis.connect();
    const [id] = (await admin.smembers(keyspace.instances)) as InstanceId[];
    if (id === undefined) throw new Error('nobody is registered');
    await tsq.start(redis.url, '-c', '1');
    other.signal('SIGSTOP'); // so that nothing renews it
    await admin.del(keyspace.instance(id));
    await eventually(() => expect(runsOf(again).starts).toBe(2), 20_000);
  }, 90_000);

  test('defect 6: a stall: a process whose event loop is blocked for three TTLs keeps its job', async () => {
    await tsq.start(redis.url, '-c', '1');
    const jid = await enqueue('Interop::Blocking', 'computing', 6_000);
    await started(jid);
    const other = await tsq.start(redis.url, '-c', '1');
    await eventually(() => expect(runsOf(jid).ends).toBe(1), 30_000);
    await other.end('SIGTERM');
    expect(runsOf(jid)).toEqual({ starts: 1, ends: 1 });
    // A frozen host is another matter: no beat can come from it. Its job runs again, and its own outcome is refused: zombie.test.ts.
  }, 90_000);

  test("defect 7: untracked after a false death: the late end of the old run takes nothing from the new owner's claim", async () => {
    const stage = new Stage(redis.connect());
    await stage.push('q', 'J');
    await stage.lives('A');
    await stage.lives('B');
    const [old] = await stage.claim('A');
    await stage.dies('A'); // it is frozen
    await stage.recover('A');
    await stage.claim('B');
    expect(await stage.settle('A', [endOf(old, 'done')])).toEqual({ registered: false, notHeld: [0] });
    expect(await stage.placesOf('J')).toEqual([keyspace.jobs('B' as InstanceId)]);
    await stage.dies('B');
    expect(await stage.recover('B')).toBe(1);
    expect(await stage.placesOf('J')).toEqual(['queue:q']);

    // The gem's key is the jid's, not the claim's: what A deletes at its end is B's payload.
    const { admin } = stage;
    await admin
      .multi()
      .sadd(gem.jobs('B' as InstanceId), 'J')
      .set(gem.job('J' as never), 'J')
      .exec();
    await admin
      .multi()
      .srem(gem.jobs('A' as InstanceId), 'J')
      .del(gem.job('J' as never))
      .exec();
    expect(await admin.smembers(gem.jobs('B' as InstanceId))).toEqual(['J']);
    expect(await admin.get(gem.job('J' as never))).toBeNull();
  });

  test('defect 8: a lock released by a non-owner: who lost it leaves it alone, and two who recover at once put back once', async () => {
    const admin = redis.connect();
    const lock = keyspace.recoveryLock;
    const release = async (text: string) => {
      await admin.set(lock, 'R2', 'PX', 60_000); // that of R1 ran out meanwhile
      const answer = await admin.eval(text, 1, lock, 'R1');
      return [answer, await admin.get(lock)];
    };
    const text = recoveryScript('release-lock');
    expect(await release(text)).toEqual(['not-held', 'R2']);
    const guard = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'not-held' end";
    expect(text).toContain(guard);
    expect(await release(text.replace(guard, ''))).toEqual(['released', null]);

    // And the lock is not what keeps an orphan from going back twice.
    const [stage, other] = [new Stage(admin), new Stage(redis.connect())];
    const jobs = Array.from({ length: 50 }, (_, index) => `job ${index}`);
    await stage.push('q', ...jobs);
    await stage.lives('A');
    await stage.claim('A');
    await stage.dies('A');
    const [one, two] = await Promise.all([stage.recover('A'), other.recover('A')]);
    expect(Number(one) + Number(two)).toBe(50);
    expect((await admin.lrange('queue:q', 0, -1)).toSorted()).toEqual(jobs.toSorted());
  });
});
