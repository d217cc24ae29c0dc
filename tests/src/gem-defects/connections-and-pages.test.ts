/** Defects 19 to 22 of the tracker gem: its connections, its page, and the times that it shows. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { RetrySet } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { Recoverer, Recovery } from '@tsq/recovery';
import { Instance, type InstanceId } from '@tsq/tracker';
import { useTsqWorkers } from '../end-to-end/tsq-worker.js';
import { keyspace, mutant, Stage } from './stage.js';

describe("the gem's connections and pages", () => {
  const redis = useRedis();
  const tsq = useTsqWorkers();

  function recoverer() {
    const fast = { startDelayMs: 0, intervalMs: 30, watchIntervalMs: 0, batchSize: 2 };
    const made = new Recoverer({ location: { url: redis.url }, instance: new Instance('r'), ...fast });
    return { made, [Symbol.asyncDispose]: () => made.stop(AbortSignal.abort()) };
  }

  async function diesWith(stage: Stage, id: string, ...jobs: string[]): Promise<void> {
    await stage.lives(id);
    await stage.push('q', ...jobs);
    await stage.claim(id);
    await stage.dies(id);
  }

  test('defect 19: a connection for each call: twenty recoveries open none, and a stop leaves none', async () => {
    const stage = new Stage(redis.connect());
    const { admin } = stage;
    const opened = async () =>
      Number(/total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1] ?? Number.NaN);
    await using it = recoverer();
    await it.made.start();
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(0));
    const before = await opened();
    for (let death = 1; death <= 20; death += 1) {
      await diesWith(stage, `A${death}`, `job ${death}`);
      await eventually(async () => expect(await admin.llen('queue:q')).toBe(1));
      await admin.del('queue:q');
    }
    expect(await opened()).toBe(before);
    await redis.connect().ping();
    expect(await opened()).toBe(before + 1); // the count would show it
    await it.made.stop(AbortSignal.timeout(5_000)); // and that none is left is what useRedis looks at after each file
  });

  test('defect 20: a page that is clicked twice: of two retries at once one moves the entry, and nothing is written into it', async () => {
    const admin = redis.connect();
    const payload =
      '{"class":"A","args":[1.0],"jid":"twice","queue":"q","retry":true,"created_at":1.5,"retry_count":0}';
    await admin.zadd('retry', 1, payload);
    const [one, two] = [new RetrySet(admin), new RetrySet(redis.connect())];
    const clicked = await Promise.all([one.find('twice'), two.find('twice')]);
    const answers = await Promise.all(clicked.map((entry) => entry?.retry()));
    expect(answers.toSorted()).toEqual([false, true]);
    const line = await admin.lrange('queue:q', 0, -1);
    expect(line).toHaveLength(1);
    const { enqueued_at: at, ...rest } = JSON.parse(line[0] ?? '{}');
    expect(rest).toEqual({ ...JSON.parse(payload), retry_count: -1 });
    expect(typeof at).toBe('number');
  });

  test('defect 20: nobody can have the jobs of a living instance put back', async () => {
    const stage = new Stage(redis.connect());
    await stage.lives('A');
    await stage.push('q', 'J');
    await stage.claim('A');
    expect(await stage.recover('A')).toBe('alive');
    expect(await stage.placesOf('J')).toEqual([keyspace.jobs('A' as InstanceId)]);
    const byHand = mutant('recover', "if redis.call('EXISTS', KEYS[3]) == 1 then return 'alive' end", '');
    expect(await new Stage(stage.admin, byHand).recover('A')).toBe(1);
  });

  test("defect 21: the time of a death comes from the dead one's last beat, by Redis' clock, not from the TTL", async () => {
    const admin = redis.connect();
    const seconds = async () => {
      const [whole, micros] = await admin.time();
      return Number(whole) + Number(micros) / 1e6;
    };
    const killed = await tsq.start(redis.url, '-c', '1');
    const [id] = (await admin.smembers(keyspace.instances)) as InstanceId[];
    if (id === undefined) throw new Error('nobody is registered');
    await admin.lpush('queue:default', '{"class":"Interop::Sleeping","args":[600000],"jid":"running"}');
    await eventually(() => expect(tsq.journal.jids('start')).toContain('running'));
    const firstBeat = await admin.get(keyspace.instance(id));
    await eventually(async () => expect(await admin.get(keyspace.instance(id))).not.toBe(firstBeat)); // it has noted the job
    await killed.end('SIGKILL');
    const killedAt = await seconds();
    const lastBeat = Number(await admin.get(keyspace.instance(id)));
    await eventually(async () => expect(await admin.exists(keyspace.instance(id))).toBe(0)); // long dead when it is found
    const before = await seconds();
    await tsq.start(redis.url, '-c', '1');
    const recovery = new Recovery(admin);
    const report = await eventually(async () => {
      const { recoveries } = await recovery.inspect();
      const postMortem = recoveries.find(({ instance }) => instance === id)?.postMortem;
      if (postMortem === undefined) throw new Error('no post-mortem yet');
      return postMortem;
    }, 20_000);
    expect(Math.abs(report.lastBeatAtSeconds - lastBeat)).toBeLessThan(1); // the note is of the beat, or of the one before it
    expect(report.lastBeatAtSeconds).toBeLessThanOrEqual(killedAt);
    expect(report.diedAtSeconds).toBeGreaterThanOrEqual(before - 1);
    // Where the gem says "now - TTL", whenever it looks, this one is told apart from when it was found.
    expect(report.diedAtSeconds - report.lastBeatAtSeconds).toBeGreaterThan(before - killedAt - 1);
  }, 60_000);

  test('defect 22: one connection is enough: a recoverer goes on where Redis grants no second one', async () => {
    const stage = new Stage(redis.connect());
    const { admin } = stage;
    await using it = recoverer();
    await it.made.start();
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(0));
    const [, most = ''] = (await admin.config('GET', 'maxclients')) as string[];
    const clients = String(await admin.client('LIST'))
      .trim()
      .split('\n').length;
    await admin.config('SET', 'maxclients', String(clients));
    try {
      const more = connect(redis.port, '127.0.0.1'); // a nested one would fare like this
      const [said] = (await once(more, 'data')) as [Buffer];
      expect(String(said)).toContain('max number of clients reached');
      more.destroy();
      await diesWith(stage, 'A', 'one', 'two', 'three');
      await eventually(async () => expect(await admin.llen('queue:q')).toBe(3));
    } finally {
      await admin.config('SET', 'maxclients', most);
    }
  });
});
