import { describe, expect, test } from '@jest/globals';
import {
  eventually,
  freePort,
  itIsAComponent,
  RecordingLogger,
  TestRedis,
  useRedis,
} from '@tsq/core/test-support';
import { Instance, Keyspace } from '@tsq/tracker';
import { Heartbeat, type HeartbeatOptions } from './heartbeat.js';
import { hold, recoverSome } from './test-support/claims.js';
import { InstanceProcess } from './test-support/start-instance.js';

const keyspace = new Keyspace();
const soon = () => AbortSignal.timeout(5_000);

describe('Heartbeat', () => {
  const redis = useRedis();
  const fast = { intervalMs: 50, ttlMs: 1_000 };

  function heartbeat(options: Partial<HeartbeatOptions> = {}) {
    const instance = new Instance('test');
    const logger = new RecordingLogger();
    const made = new Heartbeat({ location: { url: redis.url }, instance, logger, ...fast, ...options });
    return { made, instance, logger, [Symbol.asyncDispose]: () => made.stop(soon()) };
  }

  describe('as a component', () => {
    itIsAComponent(() => heartbeat().made);
  });

  test('is registered when start has resolved, and beats', async () => {
    await using it = heartbeat();
    let heard = 0;
    it.made.onBeat(() => {
      heard += 1;
    });
    await it.made.start();
    const admin = redis.connect();
    expect(await admin.smembers(keyspace.instances)).toEqual([it.instance.id]);
    expect(await admin.exists(keyspace.instance(it.instance.id))).toBe(1);
    await eventually(() => expect(heard).toBeGreaterThan(2));
    expect(it.made.counts.beats).toBe(heard);
  });

  test('L3: leaves no key of the namespace when it is stopped', async () => {
    await using it = heartbeat();
    await it.made.start();
    await it.made.stop(soon());
    expect(await redis.connect().keys('*')).toEqual([]);
  });

  test('what the instance holds when it is stopped is left to the others, who need not wait for the TTL', async () => {
    await using it = heartbeat();
    await it.made.start();
    const admin = redis.connect();
    await hold(admin, keyspace, it.instance.id, [{ queue: 'q', bytes: 'one' }]);
    await it.made.stop(soon());
    expect(await admin.exists(keyspace.instance(it.instance.id))).toBe(0);
    expect(await admin.scard(keyspace.jobs(it.instance.id))).toBe(1);
    expect(await admin.smembers(keyspace.instances)).toEqual([it.instance.id]);
  });

  test('S2: declared dead, it goes on under a new id, and both its listeners and those of the instance hear of it', async () => {
    await using it = heartbeat();
    const heard: unknown[] = [];
    it.made.onLapse((fresh, lapsed) => heard.push([fresh, lapsed]));
    it.instance.onRenewal((fresh, lapsed) => heard.push([fresh, lapsed]));
    await it.made.start();
    const lapsed = it.instance.id;
    const admin = redis.connect();
    await admin.multi().srem(keyspace.instances, lapsed).del(keyspace.instance(lapsed)).exec();
    await eventually(() => expect(it.instance.id).not.toBe(lapsed));
    await eventually(async () => expect(await admin.smembers(keyspace.instances)).toEqual([it.instance.id]));
    expect(heard).toEqual([
      [it.instance.id, lapsed],
      [it.instance.id, lapsed],
    ]);
    expect(it.made.counts.lapses).toBe(1);
    expect(it.logger.matching('error', 'goes on under a new id')).toHaveLength(1);
    expect(await admin.exists(keyspace.instance(lapsed))).toBe(0);
  });

  test('a Redis that lost everything has the instance registered again', async () => {
    await using it = heartbeat();
    await it.made.start();
    await redis.empty();
    const admin = redis.connect();
    await eventually(async () => expect(await admin.smembers(keyspace.instances)).toEqual([it.instance.id]));
  });

  describe('with minutes between two beats', () => {
    const slow = { intervalMs: 600_000, ttlMs: 1_200_000 };

    test('S2: asked for a beat when Redis has lost everything, it is registered again at once, under a new id', async () => {
      await using it = heartbeat(slow);
      await it.made.start();
      const former = it.instance.id;
      await redis.empty();
      it.made.beatNow();
      const admin = redis.connect();
      await eventually(async () =>
        expect(await admin.smembers(keyspace.instances)).toEqual([it.instance.id]),
      );
      expect(it.instance.id).not.toBe(former);
    });

    test('a Redis that restarts without its data has the instance registered again, though nobody asks', async () => {
      const own = new TestRedis();
      await using _stopping = { [Symbol.asyncDispose]: () => own.stop() };
      await own.start();
      await using it = heartbeat({ location: { url: own.url }, ...slow });
      await it.made.start();
      await own.kill();
      await own.start();
      const admin = own.connect();
      await eventually(async () =>
        expect(await admin.smembers(keyspace.instances)).toEqual([it.instance.id]),
      );
      own.closeConnections();
    });

    test('asked for beats without end, it sends no more than one a second', async () => {
      await using it = heartbeat(slow);
      await it.made.start();
      const askingSince = performance.now();
      const admin = redis.connect();
      for (let asked = 0; asked < 300; asked += 1) {
        it.made.beatNow();
        await admin.ping();
      }
      await eventually(() => expect(it.made.counts.beats).toBeGreaterThan(1));
      const seconds = (performance.now() - askingSince) / 1_000;
      expect(it.made.counts.beats).toBeLessThanOrEqual(2 + seconds);
    });
  });

  test('start waits for a Redis that is away, logs it once, and resolves when it is there', async () => {
    const late = new TestRedis();
    late.port = await freePort();
    await using it = heartbeat({ location: { url: late.url } });
    const started = it.made.start();
    await eventually(() => expect(it.logger.matching('warn', 'Redis is away')).toHaveLength(1));
    await late.start();
    await started;
    expect(it.logger.matching('warn', '')).toHaveLength(1);
    await it.made.stop(soon());
    await late.stop();
  });

  test('start that waits for Redis rejects when the heartbeat is stopped', async () => {
    const it = heartbeat({ location: { url: `redis://127.0.0.1:${await freePort()}` } });
    const started = it.made.start();
    await eventually(() => expect(it.logger.matching('warn', 'Redis is away')).toHaveLength(1));
    const stopped = it.made.stop(soon());
    await expect(started).rejects.toMatchObject({ code: 'TSQ_COMPONENT_STOPPED' });
    await stopped;
  });

  test('a listener that throws is logged, and the others hear of the beat', async () => {
    await using it = heartbeat();
    let heard = 0;
    it.made.onBeat(() => {
      throw new Error('a bug of a listener');
    });
    it.made.onBeat(() => {
      heard += 1;
    });
    await it.made.start();
    await eventually(() => expect(heard).toBeGreaterThan(0));
    expect(it.logger.matching('error', 'a listener')).not.toHaveLength(0);
  });

  test('options of the connection that no thread can be given are refused', () => {
    const options = { reconnectOnError: () => true };
    expect(() => heartbeat({ location: { url: redis.url, options } })).toThrow(
      expect.objectContaining({ code: 'TSQ_CONFIG_INVALID' }),
    );
  });

  describe('in a process of its own', () => {
    const settings = () => ({ url: redis.url, heartbeat: { intervalMs: 100, ttlMs: 800 } });

    test('S4: a job that keeps the event loop busy for three TTLs does not make its instance look dead', async () => {
      await using process = await InstanceProcess.start(settings());
      const admin = redis.connect();
      const written = new Set<string | null>();
      process.tell('block');
      while (process.count('unblocked') === 0) written.add(await admin.get(keyspace.instance(process.id)));
      expect(written).not.toContain(null);
      expect(written.size).toBeGreaterThan(10);
      expect(process.count('lapse')).toBe(0);
    });

    test('an event loop that stood still is told of when it turns again, with how long and without a job to blame', async () => {
      await using process = await InstanceProcess.start(settings());
      process.tell('block'); // for 2.4 s
      await process.hear('unblocked');
      const { durationMs, ...stall } = await process.hear('stall');
      expect(durationMs).toBeGreaterThan(1_500);
      expect(stall).toMatchObject({ jobs: [], jobsInFlight: 0 });
    });

    test('past its stallTimeout the thread sends no beat until the loop turns; not declared dead meanwhile, it goes on', async () => {
      const heartbeat = { intervalMs: 100, ttlMs: 1_500, stallTimeoutMs: 600 };
      await using process = await InstanceProcess.start({ url: redis.url, heartbeat });
      const admin = redis.connect();
      process.tell('block'); // for 4.5 s
      await eventually(async () => expect(await admin.exists(keyspace.instance(process.id))).toBe(0));
      expect(process.count('unblocked')).toBe(0);
      expect(await process.hear('stall')).toMatchObject({ gaveUp: true });
      await eventually(async () => expect(await admin.exists(keyspace.instance(process.id))).toBe(1));
      expect(process.count('lapse')).toBe(0);
    });

    test('S2: past its stallTimeout it was declared dead, and learns so when the loop turns', async () => {
      const heartbeat = { intervalMs: 100, ttlMs: 1_500, stallTimeoutMs: 600 };
      await using process = await InstanceProcess.start({ url: redis.url, heartbeat });
      const admin = redis.connect();
      process.tell('block');
      await eventually(async () =>
        expect(await recoverSome(admin, keyspace, process.id, 100, 'next')).not.toBe('alive'),
      );
      expect(process.count('unblocked')).toBe(0);
      expect(await process.hear('lapse')).toMatchObject({ lapsed: process.id });
    });

    test('a process that was frozen as a whole is not told to have a stalled event loop', async () => {
      await using process = await InstanceProcess.start(settings());
      const admin = redis.connect();
      process.signal('SIGSTOP');
      await eventually(async () => expect(await admin.exists(keyspace.instance(process.id))).toBe(0));
      process.signal('SIGCONT');
      await process.hear('beat', process.count('beat') + 5);
      expect(process.count('stall')).toBe(0);
    });

    test('a thread that dies is replaced, and the instance keeps its id', async () => {
      await using process = await InstanceProcess.start(settings());
      process.tell('kill-thread');
      await process.hear('error');
      const beats = process.count('beat');
      const { id } = await process.hear('beat', beats + 3);
      expect(id).toBe(process.id);
      expect(process.said.find(({ said }) => said === 'error')?.message).toContain('thread died');
    });

    test('S2: the thread that replaces a dead one brings no id back that was declared dead', async () => {
      const rare = { intervalMs: 60_000, ttlMs: 120_000 }; // so that no beat comes between
      await using process = await InstanceProcess.start({ url: redis.url, heartbeat: rare });
      const admin = redis.connect();
      await admin.multi().srem(keyspace.instances, process.id).del(keyspace.instance(process.id)).exec();
      process.tell('kill-thread');
      expect(await process.hear('lapse')).toMatchObject({ lapsed: process.id });
      await eventually(async () => expect(await admin.scard(keyspace.instances)).toBe(1));
      expect(await admin.sismember(keyspace.instances, process.id)).toBe(0);
    });

    test('after stop nothing keeps the process alive', async () => {
      await using process = await InstanceProcess.start(settings());
      process.tell('stop');
      await process.hear('stopped');
      expect(await process.ended()).toBe(0);
      expect(await redis.connect().keys('*')).toEqual([]);
    });

    test('a program that just comes to its end is not kept alive by its heartbeat', async () => {
      await using process = await InstanceProcess.start(settings());
      process.tell('finish');
      expect(await process.ended()).toBe(0);
    });
  });
});
