import { describe, expect, test } from '@jest/globals';
import { eventually, RecordingLogger, useRedis } from '@tsq/core/test-support';
import { Instance, type InstanceId, Keyspace, type Member } from '@tsq/tracker';
import type { Redis } from 'ioredis';
import { type BuriedPoison, burialOf, buryPoison } from './bury-poison.js';
import { Recoverer } from './recoverer.js';
import type { RecovererSettings } from './settings.js';
import { fetchOrder, hold, recoverSome } from './test-support/claims.js';

const keyspace = new Keyspace();
const payload = '{"class":"Poison","jid":"p1","args":[1.0,12345678901234567890],"queue":"other"}';

describe('poison', () => {
  const redis = useRedis();
  let deaths = 0;

  /** An instance that died with these jobs of queue `q`, one of which it had started as a suspect. */
  async function died(admin: Redis, payloads: readonly string[], started?: string): Promise<InstanceId> {
    deaths += 1;
    const id = `dead-${deaths}` as InstanceId;
    await admin.sadd(keyspace.instances, id);
    const members = await hold(
      admin,
      keyspace,
      id,
      payloads.map((bytes) => ({ queue: 'q', bytes })),
    );
    const suspect = started === undefined ? undefined : members[payloads.indexOf(started)];
    if (suspect !== undefined) await admin.set(keyspace.suspect(id), suspect);
    return id;
  }

  /** Recovers it, and takes what went back from the queue again. */
  async function recovered(admin: Redis, id: InstanceId) {
    const step = await recoverSome(admin, keyspace, id, 500, 'next');
    if (step === 'alive') throw new Error('expected a dead instance');
    const back = await fetchOrder(admin, 'q');
    await admin.del('queue:q');
    return { back, poison: step.poison.map(({ bytes }) => bytes.toString()) };
  }

  function recoverer(options: Partial<RecovererSettings> = {}) {
    const logger = new RecordingLogger();
    const buried: BuriedPoison[] = [];
    const fast = { intervalMs: 30, startDelayMs: 0, watchIntervalMs: 0 };
    const made = new Recoverer({
      location: { url: redis.url },
      instance: new Instance('test'),
      logger,
      ...fast,
      ...options,
    });
    made.onPoison((poison) => buried.push(poison));
    return { made, logger, buried, [Symbol.asyncDispose]: () => made.stop(AbortSignal.timeout(5_000)) };
  }

  /** Recovered three times, the third time as a started suspect: with the next death it is poison. */
  async function aboutToBePoison(admin: Redis, bytes: string): Promise<InstanceId> {
    for (const started of [undefined, undefined, bytes]) {
      expect(await recovered(admin, await died(admin, [bytes], started))).toEqual({
        back: [bytes],
        poison: [],
      });
    }
    return await died(admin, [bytes], bytes);
  }

  test('L2: a job is recovered three times, and the fourth time it goes to dead, with what happened, where and when', async () => {
    const admin = redis.connect();
    const last = await aboutToBePoison(admin, payload);
    await using it = recoverer();
    await it.made.start();
    await eventually(() => expect(it.buried).toHaveLength(1));
    expect(it.buried[0]).toMatchObject({ jid: 'p1', class: 'Poison', queue: 'q', fate: 'dead' });
    expect(it.buried[0]?.payload.toString()).toBe(payload);
    const [entry] = await admin.zrange('dead', '0', '-1');
    // Byte for byte what was popped, and the error fields behind it.
    expect(entry?.startsWith(`${payload.slice(0, -1)},"error_message":"TSQ_JOB_POISON: `)).toBe(true);
    const { error_message: message, error_class: name, failed_at: at } = JSON.parse(entry ?? '{}');
    expect([name, typeof at]).toEqual(['TsqError', 'number']);
    expect(message).toMatch(
      new RegExp(`(\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z, ){2}\\d{4}-.*instance ${last} has died with it`),
    );
    await eventually(async () => expect(await admin.keys('tsq:*')).toEqual([]));
    expect(it.made.counts).toMatchObject({ poison: 1, recovered: 0, deaths: 1 });
    expect(it.logger.matching('error', 'killed its process again and again')).toHaveLength(1);
    expect(await admin.llen('queue:q')).toBe(0);
  });

  test('L2: whoever dies beside it, and was not the one that was started, is put back however often', async () => {
    const admin = redis.connect();
    for (let times = 0; times < 6; times += 1) {
      const id = await died(admin, ['poison', 'innocent'], times < 2 ? undefined : 'poison');
      const { back, poison } = await recovered(admin, id);
      expect([back.includes('innocent'), poison]).toEqual([true, times < 3 ? [] : ['poison']]);
    }
    const counts = await admin.hvals(keyspace.recoveries);
    expect(counts.map((seconds) => seconds.split(' ').length).toSorted()).toEqual([2, 3]);
  });

  test('recoveries of more than 72 hours ago do not count, and leave', async () => {
    const admin = redis.connect();
    const id = await aboutToBePoison(admin, payload);
    const [mark] = await admin.hkeys(keyspace.recoveries);
    await admin.hset(keyspace.recoveries, mark ?? '', '1 2 3', 'of another job', '4 5');
    expect(await recovered(admin, id)).toEqual({ back: [payload], poison: [] });
    expect(await admin.hkeys(keyspace.recoveries)).toEqual([mark]);
    expect((await admin.hget(keyspace.recoveries, mark ?? ''))?.split(' ')).toHaveLength(1);
    expect(await admin.ttl(keyspace.recoveries)).toBeGreaterThan(71 * 3_600);
  });

  test('with "dead":false it is dropped, and said so', async () => {
    const admin = redis.connect();
    const hidden = payload.replace('{', '{"dead":false,');
    await aboutToBePoison(admin, hidden);
    await using it = recoverer();
    await it.made.start();
    await eventually(() => expect(it.buried).toMatchObject([{ fate: 'dropped', jid: 'p1' }]));
    expect(await admin.exists('dead', 'queue:q')).toBe(0);
    expect(it.logger.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        fields: expect.objectContaining({ fate: 'dropped', jid: 'p1' }),
      }),
    );
  });

  test.each([
    ['', false, 'dropped'],
    ['"dead":null,', false, 'dropped'],
    ['"dead":true,', false, 'dead'],
    ['"dead":false,', true, 'dropped'],
    ['', true, 'dead'],
    ['', undefined, 'dead'],
  ])('with {%s…} and the option dead: %j of its class it is %s', async (own, option, fate) => {
    const poison = {
      member: 'x.1.0@q' as Member,
      bytes: Buffer.from(payload.replace('{', `{${own}`)),
      recoveredAtSeconds: [1],
    };
    const deadOption = (name: string) => (name === 'Poison' ? option : undefined);
    const burial = burialOf('x' as InstanceId, poison, { dialect: 'seconds', atSeconds: 2, deadOption });
    expect(burial).toMatchObject({ fate, payload: poison.bytes });
  });

  test('a class that the recoverer knows is asked', async () => {
    const admin = redis.connect();
    await aboutToBePoison(admin, payload);
    await using it = recoverer({ deadOption: (name) => name !== 'Poison' });
    await it.made.start();
    await eventually(() => expect(it.buried).toMatchObject([{ fate: 'dropped', jid: 'p1' }]));
    expect(await admin.exists('dead', 'queue:q')).toBe(0);
  });

  test('S5: bytes that nobody can read go to dead as they are', async () => {
    const admin = redis.connect();
    await aboutToBePoison(admin, '{"class":');
    await using it = recoverer();
    await it.made.start();
    await eventually(async () => expect(await admin.zrange('dead', '0', '-1')).toEqual(['{"class":']));
  });

  test('S3: of five recoverers one buries it', async () => {
    const admin = redis.connect();
    await aboutToBePoison(admin, payload);
    const five = Array.from({ length: 5 }, () => recoverer());
    const remover = setInterval(() => void admin.del(keyspace.recoveryLock), 1);
    await Promise.all(five.map(({ made }) => made.start()));
    await eventually(async () =>
      expect(await admin.exists(keyspace.instances, keyspace.deadInstances)).toBe(0),
    );
    clearInterval(remover);
    await Promise.all(five.map(({ made }) => made.stop(AbortSignal.timeout(5_000))));
    expect(await admin.zcard('dead')).toBe(1);
    expect(five.flatMap(({ buried }) => buried)).toHaveLength(1);
  });

  test('S1: while `dead` holds another type it stays a claim, and is buried once that is mended', async () => {
    const admin = redis.connect();
    const id = await aboutToBePoison(admin, payload);
    await admin.set('dead', 'not a set');
    await using it = recoverer();
    await it.made.start();
    await eventually(() => expect(it.made.counts.passes).toBeGreaterThan(2));
    expect(await admin.scard(keyspace.jobs(id))).toBe(1);
    expect(it.logger.matching('error', 'can not be put back')).toHaveLength(1);
    await admin.del('dead');
    await eventually(() => expect(it.buried).toHaveLength(1));
  });

  test('S2: one that its zombie has settled meanwhile is not buried', async () => {
    const admin = redis.connect();
    const id = await aboutToBePoison(admin, payload);
    await admin.sadd(keyspace.jobs(id), `${id}.1.1@q`);
    await recoverSome(admin, keyspace, id, 500, 'next');
    const member = `${id}.1.0@q` as Member;
    const poison = { member, bytes: Buffer.from(payload), recoveredAtSeconds: [1] };
    const burial = burialOf(id, poison, { dialect: 'seconds', atSeconds: 2 });
    await admin.srem(keyspace.jobs(id), member);
    expect(await buryPoison(admin, keyspace, id, member, burial, { timeoutSeconds: 1, maxJobs: 1 })).toBe(
      'gone',
    );
    expect(await admin.exists('dead')).toBe(0);
  });

  test('a full Redis takes a burial', async () => {
    const admin = redis.connect();
    await aboutToBePoison(admin, payload);
    await admin.config('SET', 'maxmemory', '1mb');
    try {
      await using it = recoverer();
      await it.made.start();
      await eventually(() => expect(it.buried).toHaveLength(1));
    } finally {
      await admin.config('SET', 'maxmemory', '0');
    }
  });
});
