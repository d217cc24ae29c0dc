import { describe, expect, test } from '@jest/globals';
import type { UnitOfWork } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { Instance } from './instance.js';
import { Keyspace } from './keyspace.js';
import { openFetcher } from './test-support/open-fetcher.js';
import { TrackingFetcher } from './tracking-fetcher.js';

const keyspace = new Keyspace();
const onlyKnown = { classes: ['Mine', 'Mine::Too'] };

const job = (name: string, id: number | string) => `{"class":"${name}","args":[],"jid":"${id}"}`;
const texts = (units: readonly UnitOfWork[]) => units.map((unit) => unit.bytes.toString());

describe('a fetcher that takes only known classes', () => {
  const redis = useRedis();
  const open = (lookPast = 1_000) => openFetcher(redis, { onlyKnown: { ...onlyKnown, lookPast } });

  test('takes its own from between the others, and leaves these in their order', async () => {
    await using it = await open();
    const line = [job('Ruby', 1), job('Mine', 2), job('Ruby', 3), job('Mine::Too', 4), job('Ruby', 5)];
    await it.admin.lpush('queue:a', ...line);
    const units = await it.fetcher.fetch(['a'], 10);
    expect(texts(units)).toEqual([line[1], line[3]]);
    expect(await it.admin.lrange('queue:a', 0, -1)).toEqual([line[4], line[2], line[0]]);
    expect(await it.admin.scard(keyspace.jobs(it.instance.id))).toBe(2);
    for (const unit of units) expect(await unit.settle({ kind: 'done' })).toBe('settled');
    expect(await it.admin.keys('tsq:job*')).toEqual([]);
  });

  test('takes the oldest of its own first, the queues in their order, and not more than asked for', async () => {
    await using it = await open();
    const [a, b] = [
      ['Mine', 'Ruby', 'Mine', 'Mine'],
      ['Ruby', 'Mine', 'Mine'],
    ].map((names, queue) => names.map((name, index) => job(name, `${queue}${index}`)));
    if (a === undefined || b === undefined) throw new Error('two queues were made');
    await it.admin.lpush('queue:a', ...a);
    await it.admin.lpush('queue:b', ...b);
    expect(texts(await it.fetcher.fetch(['a', 'b'], 2))).toEqual([a[0], a[2]]);
    expect(texts(await it.fetcher.fetch(['a', 'b'], 2))).toEqual([a[3], b[1]]);
    expect(texts(await it.fetcher.fetch(['b', 'a'], 9))).toEqual([b[2]]);
    expect(await it.admin.lrange('queue:a', 0, -1)).toEqual([a[1]]);
    expect(await it.admin.lrange('queue:b', 0, -1)).toEqual([b[0]]);
  });

  test('of payloads with the same bytes it takes the one that would be fetched first, and each once', async () => {
    await using it = await open();
    await it.admin.lpush('queue:a', job('Ruby', 1), job('Mine', 2), job('Ruby', 3), job('Mine', 2));
    expect(await it.fetcher.fetch(['a'], 1)).toHaveLength(1);
    expect(await it.admin.lrange('queue:a', 0, -1)).toEqual([job('Mine', 2), job('Ruby', 3), job('Ruby', 1)]);
    expect(await it.fetcher.fetch(['a'], 5)).toHaveLength(1);
    expect(await it.admin.lrange('queue:a', 0, -1)).toEqual([job('Ruby', 3), job('Ruby', 1)]);
  });

  test.each([
    '{"args":[],"class": "Mine"}',
    '{"class" : "Mine","args":[]}',
    '{ "args":[],\n"class"\t:\n"Mine" }',
  ])('reads what other producers write: %j', async (payload) => {
    await using it = await open();
    await it.admin.lpush('queue:a', payload);
    expect(texts(await it.fetcher.fetch(['a'], 1))).toEqual([payload]);
  });

  test.each([
    '{"class":"Mine::Three","args":[]}',
    '{"class":"mine","args":[]}',
    '{"wrapped":"Mine","class":"Wrapper","args":[]}',
    '{"class":"Ruby","args":["class","Mine"]}',
    '{"class":"Ruby","args":["\\"class\\":\\"Mine\\""]}',
    '{"class":null,"args":["Mine"]}',
    'no JSON',
    '',
  ])('leaves what is of another class: %j', async (payload) => {
    await using it = await open();
    await it.admin.lpush('queue:a', payload);
    expect(await it.fetcher.fetch(['a'], 1)).toEqual([]);
    expect(await it.admin.lrange('queue:a', 0, -1)).toEqual([payload]);
    expect(await it.admin.exists(keyspace.claims(it.instance.id))).toBe(0);
  });

  test.each(['{"class":"Ruby","args":[{"class":"Mine"}]}', '{"class":"Mine", but no JSON'])(
    'S1 S5: what only looks like its own goes back to the head of the line, and is not taken again: %j',
    async (payload) => {
      await using it = await open();
      await it.admin.lpush('queue:a', payload, job('Ruby', 1), job('Mine', 2));
      expect(texts(await it.fetcher.fetch(['a'], 5))).toEqual([job('Mine', 2)]);
      await eventually(async () =>
        expect(await it.admin.lrange('queue:a', 0, -1)).toEqual([job('Ruby', 1), payload]),
      );
      const claims = await it.admin.get(keyspace.claims(it.instance.id));
      expect(await it.fetcher.fetch(['a'], 5)).toEqual([]);
      expect(await it.admin.get(keyspace.claims(it.instance.id))).toBe(claims);
    },
  );

  test('S1: of more jobs that look like its own than it remembers none is lost, and none is kept', async () => {
    await using it = await open();
    const line = Array.from({ length: 130 }, (_, id) => `{"class":"Ruby","args":[{"class":"Mine"},${id}]}`);
    await it.admin.lpush('queue:a', ...line);
    for (let round = 0; round < 3; round += 1) expect(await it.fetcher.fetch(['a'], 200)).toEqual([]);
    await eventually(async () => expect(await it.admin.llen('queue:a')).toBe(130));
    expect((await it.admin.lrange('queue:a', 0, -1)).toSorted()).toEqual(line.toSorted());
  });

  test('looks past so many jobs of other classes and no further, says so, and when it is over', async () => {
    await using it = await open(3);
    await it.admin.lpush('queue:a', ...[1, 2, 3].map((id) => job('Ruby', id)), job('Mine', 4));
    expect(await it.fetcher.fetch(['a'], 5)).toEqual([]);
    expect(await it.fetcher.fetch(['a'], 5)).toEqual([]);
    const begins = it.logger.lines.filter(({ message }) => message.includes('more jobs of other classes'));
    expect(begins.map(({ level, fields }) => [level, fields])).toEqual([
      ['warn', { queue: 'a', lookPast: 3 }],
    ]);
    await it.admin.rpop('queue:a'); // Ruby takes one
    expect(texts(await it.fetcher.fetch(['a'], 5))).toEqual([job('Mine', 4)]);
    await it.fetcher.fetch(['a'], 5);
    expect(await it.admin.llen('queue:a')).toBe(2);
  });

  test('says of a full line once, also when claims do not come as far as to look at it', async () => {
    await using it = await open(1);
    await it.admin.lpush('queue:b', job('Ruby', 1), job('Ruby', 2), job('Mine', 3));
    await it.admin.lpush('queue:a', job('Mine', 4), job('Mine', 5));
    expect(await it.fetcher.fetch(['b'], 1)).toEqual([]);
    for (const id of [4, 5]) expect(texts(await it.fetcher.fetch(['a', 'b'], 1))).toEqual([job('Mine', id)]);
    await it.admin.sadd('paused', 'b');
    expect(await it.fetcher.fetch(['a', 'b'], 1)).toEqual([]);
    await it.admin.srem('paused', 'b');
    expect(await it.fetcher.fetch(['a', 'b'], 1)).toEqual([]);
    expect(it.logger.matching('warn', 'more jobs of other classes')).toHaveLength(1);
    expect(it.logger.matching('info', 'not in the way any more')).toEqual([]);
  });

  test('S2: after a Redis that lost its last writes no two claims have one member', async () => {
    await using it = await open();
    await it.admin.lpush('queue:a', job('Mine', 1), job('Mine', 2));
    await it.fetcher.fetch(['a'], 1);
    await it.admin.del(keyspace.claims(it.instance.id));
    await it.fetcher.fetch(['a'], 1);
    const { id } = it.instance;
    expect((await it.admin.smembers(keyspace.jobs(id))).toSorted()).toEqual([`${id}.1.0@a`, `${id}.2.0@a`]);
  });

  test('hears of a job behind others, and hangs no bell where it would ring for those without end', async () => {
    await using it = await open();
    await it.admin.lpush('queue:a', job('Ruby', 1));
    await it.admin.config('RESETSTAT');
    let found = await it.fetcher.fetch(['a'], 1);
    for (let round = 0; found.length === 0; round += 1) {
      await it.fetcher.wait(['a'], new AbortController().signal);
      if (round === 2) await it.admin.lpush('queue:a', job('Mine', 2));
      found = await it.fetcher.fetch(['a'], 1);
    }
    expect(texts(found)).toEqual([job('Mine', 2)]);
    expect(await it.admin.info('commandstats')).not.toContain('cmdstat_blmove');
  });

  test('a full Redis drains from between the others too', async () => {
    await using it = await open();
    await it.admin.lpush('queue:a', job('Ruby', 1), job('Mine', 2), job('Ruby', 3));
    await it.admin.config('SET', 'maxmemory', '1');
    const units = await it.fetcher.fetch(['a'], 4).finally(() => it.admin.config('SET', 'maxmemory', '0'));
    expect(texts(units)).toEqual([job('Mine', 2)]);
  });

  test('very big payloads of other classes end the look before their number does', async () => {
    await using it = await open();
    const big = (id: number) => `{"class":"Ruby","args":["${'x'.repeat(2 ** 20)}"],"jid":"${id}"}`;
    await it.admin.lpush('queue:a', ...[1, 2, 3, 4, 5, 6].map(big), job('Mine', 7));
    expect(await it.fetcher.fetch(['a'], 4)).toEqual([]);
    expect(it.logger.matching('warn', 'more jobs of other classes')).toHaveLength(1);
    await it.admin.rpop('queue:a', 3);
    expect(texts(await it.fetcher.fetch(['a'], 4))).toEqual([job('Mine', 7)]);
  });

  test('an instance that is not registered takes nothing', async () => {
    await using it = await open();
    await it.admin.lpush('queue:a', job('Mine', 1));
    await it.admin.srem(keyspace.instances, it.instance.id);
    await expect(it.fetcher.fetch(['a'], 1)).rejects.toMatchObject({ code: 'TSQ_INSTANCE_UNREGISTERED' });
    expect(await it.admin.llen('queue:a')).toBe(1);
  });

  test('passes over a paused queue and a key that holds no list', async () => {
    await using it = await open();
    await it.admin.sadd('paused', 'a');
    await it.admin.set('queue:b', 'no list');
    await it.admin.lpush('queue:a', job('Mine', 1));
    await it.admin.lpush('queue:c', job('Mine', 2));
    expect(texts(await it.fetcher.fetch(['a', 'b', 'c'], 5))).toEqual([job('Mine', 2)]);
  });

  test.each([{ classes: ['Mine "quoted"'] }, { classes: ['Mine'], lookPast: 0 }])(
    '%j is refused',
    (wrong) => {
      const make = () =>
        new TrackingFetcher({
          location: { url: redis.url },
          instance: new Instance('test'),
          onlyKnown: wrong,
        });
      expect(make).toThrow(expect.objectContaining({ code: 'TSQ_CONFIG_INVALID' }));
    },
  );
});
