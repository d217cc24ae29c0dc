/** Defects 9 to 12 of the tracker gem: how it finds out who is dead, and when it looks. */
import { describe, expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { Recoverer } from '@tsq/recovery';
import { Instance, type InstanceId, Keyspace } from '@tsq/tracker';
import { useTsqWorkers } from '../end-to-end/tsq-worker.js';
import { keyspace, Stage } from './stage.js';

/** How the gem reads an id out of a key. */
const lastSegment = (key: string) => key.split(':').at(-1);

describe('the gem looks for the dead', () => {
  const redis = useRedis();
  const tsq = useTsqWorkers();

  function recoverer(options: { readonly keyspace?: Keyspace } = {}) {
    const fast = { startDelayMs: 0, intervalMs: 50, watchIntervalMs: 0 };
    const made = new Recoverer({
      location: { url: redis.url },
      instance: new Instance('r'),
      ...fast,
      ...options,
    });
    return { made, [Symbol.asyncDispose]: () => made.stop(AbortSignal.abort()) };
  }

  test('defect 9: ids with a colon: two hosts whose names end alike are two, and no id of ours has a colon', async () => {
    const [dead, living] = [new Instance('hostA:1').id, new Instance('hostB:1').id];
    expect(lastSegment(keyspace.jobs(dead))).toBe(dead); // so a gem that shares the namespace reads ours right
    expect(lastSegment(keyspace.jobs('hostA:1' as InstanceId))).toBe('1');
    const stage = new Stage(redis.connect());
    for (const id of [dead, living]) {
      await stage.lives(id);
      await stage.push('q', `of ${id}`);
      await stage.claim(id);
    }
    await stage.dies(dead);
    expect(await stage.recover(dead)).toBe(1);
    expect(await stage.placesOf(`of ${dead}`)).toEqual(['queue:q']);
    expect(await stage.placesOf(`of ${living}`)).toEqual([keyspace.jobs(living)]);
  });

  test('defect 10: fixed ids: a pod that starts again under its old name is another instance, and what it held before goes back', async () => {
    const stage = new Stage(redis.connect());
    const [before, after] = [new Instance('web-1').id, new Instance('web-1').id];
    expect(after).not.toBe(before);
    await stage.lives(before);
    await stage.push('q', 'J');
    await stage.claim(before);
    await stage.dies(before);
    await stage.lives(after); // at once: before anybody looked
    await using it = recoverer();
    await it.made.start();
    await eventually(async () => expect(await stage.placesOf('J')).toEqual(['queue:q']));
    // With one id for both, the new start would vouch for the old one's jobs for ever.
    await stage.lives(before);
    await stage.claim(before);
    await stage.lives(before);
    expect(await stage.recover(before)).toBe('alive');
  });

  test('defect 11: too early, then too late: who dies long after the first look is found too, and so is the next', async () => {
    const stage = new Stage(redis.connect());
    await using it = recoverer();
    await it.made.start();
    for (const id of ['A', 'B']) {
      await stage.lives(id);
      await stage.push('q', `of ${id}`);
      await stage.claim(id);
    }
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(1)); // one that looks at its start only is done by now
    for (const id of ['A', 'B']) {
      const { passes } = it.made.counts;
      await stage.dies(id);
      await eventually(async () => expect(await stage.placesOf(`of ${id}`)).toEqual(['queue:q']));
      await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(passes + 1));
    }
  });

  test('defect 12: KEYS: neither work nor death nor recovery asks for it, nor walks through the keyspace', async () => {
    const admin = redis.connect();
    await admin.config('RESETSTAT');
    const asked = async () =>
      [...(await admin.info('commandstats')).matchAll(/cmdstat_(keys|scan)\b/g)].map(([, name]) => name);
    const killed = await tsq.start(redis.url, '-c', '1');
    const client = new Client({ url: redis.url });
    await client.enqueue('Interop::Sleeping', [1_500]);
    await client.close();
    await eventually(() => expect(tsq.journal.jids('start')).toHaveLength(1));
    await killed.end('SIGKILL');
    const survivor = await tsq.start(redis.url, '-c', '1');
    await eventually(() => expect(tsq.journal.jids('end')).toHaveLength(1), 20_000);
    await survivor.end('SIGTERM');
    expect(await asked()).toEqual([]);
    await admin.keys('*');
    expect(await asked()).toEqual(['keys']);
  }, 60_000);

  test('defect 12: a namespace with the signs of a pattern is that one namespace', async () => {
    const admin = redis.connect();
    const [odd, other] = [new Keyspace('t[s]*q'), new Keyspace('tsXq')];
    for (const space of [odd, other]) {
      const id = 'dead-1' as InstanceId;
      const member = `${id}.1.0@q`;
      await admin.sadd(space.instances, id);
      await admin.sadd(space.jobs(id), member);
      await admin.set(space.job(member as never), space.namespace);
    }
    await using it = recoverer({ keyspace: odd });
    await it.made.start();
    await eventually(async () => expect(await admin.lrange('queue:q', 0, -1)).toEqual([odd.namespace]));
    const { passes } = it.made.counts;
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(passes + 1));
    expect(await admin.lrange('queue:q', 0, -1)).toEqual([odd.namespace]);
  });
});
