/** Defects 13 to 16 of the tracker gem: what it leaves behind, what it starts twice, and whose word it takes. */
import { describe, expect, test } from '@jest/globals';
import { eventually, RecordingLogger, TcpProxy, useRedis } from '@tsq/core/test-support';
import { Heartbeat, Recoverer } from '@tsq/recovery';
import { Instance, type InstanceId, TrackingFetcher } from '@tsq/tracker';
import { Config } from 'tsq-worker';
import { useTsqWorkers } from '../end-to-end/tsq-worker.js';
import { endOf, keyspace, mutant, Stage } from './stage.js';

const now = () => AbortSignal.abort();

describe("the gem's leaks and hooks", () => {
  const redis = useRedis();
  const tsq = useTsqWorkers();

  test('defect 13: leaks: an end that Redis did not hear is sent again, so no job that has ended stays tracked', async () => {
    const admin = redis.connect();
    const proxy = await TcpProxy.before(redis.port);
    const instance = new Instance('leak');
    await admin.sadd(keyspace.instances, instance.id);
    await admin.lpush('queue:q', 'J');
    const logger = new RecordingLogger();
    const fetcher = new TrackingFetcher({
      location: { url: proxy.url },
      instance,
      logger,
      commandTimeoutMs: 100,
    });
    try {
      await fetcher.start();
      const [unit] = await fetcher.fetch(['q'], 1);
      proxy.mode = 'hole';
      const settled = unit?.settle({ kind: 'done' });
      await eventually(() => expect(logger.matching('warn', '')).not.toEqual([])); // it has given the call up
      expect(await admin.scard(keyspace.jobs(instance.id))).toBe(1); // the gem stops here
      proxy.mode = 'pass';
      proxy.cutAll();
      expect(await settled).toBe('settled');
      expect(await admin.keys('tsq:job*')).toEqual([]);
    } finally {
      proxy.mode = 'pass';
      await fetcher.stop(now());
      await proxy.close();
    }
  });

  test('defect 13: leaks: after the last job and the last instance no key is left, whoever died', async () => {
    const admin = redis.connect();
    const left = async (stage: Stage) => {
      await redis.empty();
      await stage.lives('A');
      await stage.lives('B');
      await stage.push('q', 'one', 'two');
      const [one] = await stage.claim('A', ['q'], 1);
      await stage.claim('B');
      await stage.settle('A', [endOf(one, 'done')]);
      await stage.retire('A');
      await stage.dies('B');
      await stage.recover('B');
      const keys = await admin.keys('tsq:*');
      return keys.filter((key) => key !== keyspace.recoveries); // counts end with the job, or after 72 hours
    };
    expect(await left(new Stage(admin))).toEqual([]);
    const leaks = mutant('settle', "redis.call('DEL', unpack(ended_keys))", '');
    expect(await left(new Stage(admin, leaks))).toEqual([expect.stringContaining('tsq:job:A.')]);
  });

  test('defect 14: hooks doubled: started twice there is one heart, and after the stop nobody is left to beat', async () => {
    const admin = redis.connect();
    const hearts = async (id: InstanceId) =>
      [...String(await admin.client('LIST')).matchAll(/ name=(\S+)/g)].filter(([, name]) =>
        name?.includes(id),
      ).length;
    const instance = new Instance('heart');
    const location = { url: redis.url };
    const heartbeat = new Heartbeat({ location, instance, intervalMs: 50, ttlMs: 1_000 });
    await Promise.all([heartbeat.start(), heartbeat.start()]);
    await heartbeat.start();
    await eventually(() => expect(heartbeat.counts.beats).toBeGreaterThan(2));
    expect(await hearts(instance.id)).toBe(1);
    const second = new Heartbeat({ location, instance, intervalMs: 50, ttlMs: 1_000 });
    await second.start();
    expect(await hearts(instance.id)).toBe(2); // the check counts them
    await second.stop(now());
    await heartbeat.stop(AbortSignal.timeout(5_000));
    await eventually(async () => expect(await hearts(instance.id)).toBe(0)); // what has no connection writes nothing
    expect(await admin.keys('tsq:*')).toEqual([]);
  });

  test('defect 15: a setting of 0, false or off that is given in code, flag or file stands', async () => {
    const off = {
      recovery: { watchIntervalSeconds: 0, startDelaySeconds: 0 },
      log: { jobs: false },
      ...{ showToOldReaders: false, claimAheadMs: 0, timeoutSeconds: 0, maxRetries: 0, failFast: false },
      metrics: 'off',
    };
    expect(Config.parse(off)).toMatchObject(off);
    expect(Config.parse({})).not.toMatchObject(off);
    const watchIntervalMs = 0;
    const fast = { startDelayMs: 0, intervalMs: 20, watchIntervalMs };
    const recoverer = new Recoverer({ location: { url: redis.url }, instance: new Instance('r'), ...fast });
    await recoverer.start();
    await eventually(() => expect(recoverer.counts.passes).toBeGreaterThan(2));
    await recoverer.stop(now());
    expect(recoverer.counts.looks).toBe(0);
  });

  test('defect 15: a flag that turns something off wins over a variable that turns it on', async () => {
    const logOf = async (...flags: string[]) => {
      const worker = await tsq.start(redis.url, ...flags);
      await redis.connect().lpush('queue:default', '{"class":"Interop::Echo","args":[],"jid":"the-one"}');
      const before = tsq.journal.jids('echo').length;
      await eventually(() => expect(tsq.journal.jids('echo').length).toBeGreaterThan(before));
      await worker.end('SIGTERM');
      return worker.log;
    };
    process.env.TSQ_LOG_JOBS = 'true';
    try {
      expect(await logOf('--no-job-logging')).not.toContain('the-one');
      expect(await logOf()).toContain('the-one');
    } finally {
      delete process.env.TSQ_LOG_JOBS;
    }
  }, 60_000);

  test("defect 16: options, not payload: a job's own tracked counts, whatever its class says", async () => {
    const admin = redis.connect();
    const worker = await tsq.start(redis.url, '-c', '1');
    const [id] = (await admin.smembers(keyspace.instances)) as InstanceId[];
    if (id === undefined) throw new Error('nobody is registered');
    const heldDuring = async (jid: string, option: string) => {
      const payload = `{"class":"Interop::Untracked","args":[1500],"jid":"${jid}"${option}}`;
      await admin.lpush('queue:default', payload);
      await eventually(() => expect(tsq.journal.jids('start')).toContain(jid));
      // A release travels with the next call: what is held once that is over is held on purpose.
      await admin.lpush('queue:default', '{"class":"Interop::Echo","args":[],"jid":"next"}');
      const marker = await admin.get(keyspace.instance(id));
      await eventually(async () => expect(await admin.get(keyspace.instance(id))).not.toBe(marker));
      const held = (await admin.smembers(keyspace.jobs(id))).map(
        (member) => `${keyspace.jobPrefix}${member}`,
      );
      const payloads = held.length === 0 ? [] : await admin.mget(held);
      await eventually(() => expect(tsq.journal.jids('end')).toContain(jid));
      return payloads.includes(payload);
    };
    expect(await heldDuring('by-class', '')).toBe(false);
    expect(await heldDuring('by-payload', ',"tracked":true')).toBe(true);
    await worker.end('SIGTERM');
  }, 60_000);
});
