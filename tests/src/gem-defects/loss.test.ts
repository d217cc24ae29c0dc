/** Defects 1 to 4 of the tracker gem: places where it loses jobs. tsq has none of them, and each check sees a loss where one is made. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { eventually, TcpProxy, useRedis } from '@tsq/core/test-support';
import { Recoverer } from '@tsq/recovery';
import { Instance } from '@tsq/tracker';
import { originals } from '../model/lua-scripts.js';
import { endOf, keyspace, mutant, Stage } from './stage.js';

/** As EVALSHA names a script. */
const sha = (text: string) => createHash('sha1').update(text).digest('hex');

describe('the gem loses jobs', () => {
  const redis = useRedis();

  /** Each test begins with one job of the instance A. */
  async function claimed(stage: Stage, queue = 'q', job = 'J') {
    await redis.empty();
    await stage.push(queue, job);
    await stage.lives('A');
    const [claim] = await stage.claim('A', [queue]);
    return claim;
  }

  test('defect 1: DEL before push: a recoverer that is cut off after a step has lost none, and the next one goes on', async () => {
    const stage = new Stage(redis.connect());
    await stage.recover('nobody'); // from here on Redis knows the script, and each call is one request
    const jobs = Array.from({ length: 6 }, (_, index) => `job ${index}`);
    await stage.push('q', ...jobs);
    await stage.lives('A');
    await stage.claim('A');
    await stage.dies('A');
    const proxy = await TcpProxy.before(redis.port);
    const fast = { startDelayMs: 0, intervalMs: 50, watchIntervalMs: 0, batchSize: 2 };
    const recovererOn = (url: string) =>
      new Recoverer({ location: { url }, instance: new Instance('r'), ...fast });
    const cutOff = recovererOn(proxy.url);
    const next = recovererOn(redis.url);
    try {
      const dropped = proxy.dropReplyTo(sha(originals.recover), 2); // the first call only declares it dead
      await cutOff.start();
      await dropped; // a step was executed, and nobody heard of it
      await proxy.close();
      expect(await stage.admin.llen('queue:q')).toBe(2);
      await next.start();
      await eventually(async () => expect(await stage.admin.llen('queue:q')).toBe(6));
      expect((await stage.admin.lrange('queue:q', 0, -1)).toSorted()).toEqual(jobs);
    } finally {
      await cutOff.stop(AbortSignal.abort());
      await next.stop(AbortSignal.abort());
    }
  });

  test('defect 1: a push that Redis refuses keeps its own job as a claim, and keeps no other from going back', async () => {
    const outcome = async (stage: Stage) => {
      await redis.empty();
      await stage.push('q', 'good');
      await stage.push('broken', 'stuck');
      await stage.lives('A');
      await stage.claim('A', ['q', 'broken']);
      await stage.admin.set('queue:broken', 'no list');
      await stage.dies('A');
      const refused = await stage.recover('A').catch((error: Error) => error.message);
      return { refused, good: await stage.placesOf('good'), stuck: await stage.placesOf('stuck') };
    };
    const admin = redis.connect();
    expect(await outcome(new Stage(admin))).toEqual({
      refused: 1,
      good: ['queue:q'],
      stuck: [keyspace.jobs('A' as never)],
    });
    // The gem's order: what is deleted first is gone when the push fails.
    const deletesFirst = mutant(
      'recover',
      "fits[name] = holds(ARGV[3] .. name, 'list')",
      'fits[name] = true',
    );
    expect(await outcome(new Stage(admin, deletesFirst))).toMatchObject({
      refused: expect.stringContaining('WRONGTYPE'),
      stuck: [],
    });
  });

  test('defect 2: the fetch gap: a process that dies the moment its job has left the queue has it as a claim', async () => {
    const admin = redis.connect();
    const outcome = async (stage: Stage) => {
      await claimed(stage); // the answer reaches nobody: A is dead
      await stage.dies('A');
      const before = await stage.placesOf('J');
      await stage.recover('A');
      return [before, await stage.placesOf('J')];
    };
    expect(await outcome(new Stage(admin))).toEqual([[keyspace.jobs('A' as never)], ['queue:q']]);
    const popsOnly = mutant('claim', "redis.call('SADD', KEYS[3], unpack(members))", '');
    expect(await outcome(new Stage(admin, popsOnly))).toEqual([[], []]);
  });

  test('defect 3: the failure gap: the retry and the end of the claim are one step, before which it is claimed and after which it is in retry', async () => {
    const admin = redis.connect();
    const outcome = async (stage: Stage) => {
      const claim = await claimed(stage);
      const before = await stage.placesOf('J');
      await stage.settle('A', [endOf(claim, 'retry')]);
      await stage.dies('A');
      await stage.recover('A');
      return [before, await stage.placesOf('J')];
    };
    expect(await outcome(new Stage(admin))).toEqual([[keyspace.jobs('A' as never)], ['retry']]);
    // The gem's order: untracked, and killed before the ZADD.
    const untracksFirst = mutant('settle', "redis.call('ZADD', KEYS[3], unpack(retries))", 'local _ = 0');
    expect(await outcome(new Stage(admin, untracksFirst))).toEqual([[keyspace.jobs('A' as never)], []]);
  });

  test('defect 4: the same gap at a stop: a requeue that Redis refuses leaves the claim, and the job goes back once the key is mended', async () => {
    const admin = redis.connect();
    const outcome = async (stage: Stage) => {
      const claim = await claimed(stage);
      await stage.admin.set('queue:q', 'no list');
      await stage.settle('A', [endOf(claim, 'requeue')]).catch(() => undefined); // the mutant raises: that is its defect
      await stage.dies('A');
      const refused = await stage.placesOf('J');
      await stage.admin.del('queue:q');
      await stage.recover('A');
      return [refused, await stage.placesOf('J')];
    };
    expect(await outcome(new Stage(admin))).toEqual([[keyspace.jobs('A' as never)], ['queue:q']]);
    const untracksAnyway = mutant(
      'settle',
      'elseif entry.kind and not target_fits(entry) then',
      'elseif false then',
    );
    expect(await outcome(new Stage(admin, untracksAnyway))).toEqual([[], []]);
  });
});
