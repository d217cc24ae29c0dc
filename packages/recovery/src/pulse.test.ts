import { describe, expect, test } from '@jest/globals';
import { eventually, RecordingLogger, TcpProxy, useRedis } from '@tsq/core/test-support';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import type { MissedBeat } from './heartbeat-messages.js';
import { Pulse, type PulseOptions } from './pulse.js';
import { hold } from './test-support/claims.js';

const keyspace = new Keyspace();
const id = 'host-1' as InstanceId;

describe('Pulse', () => {
  const redis = useRedis();

  function pulse(options: Partial<PulseOptions> = {}) {
    const heard = { beats: 0, lapses: 0, missed: [] as MissedBeat[] };
    const logger = new RecordingLogger();
    const made = new Pulse({
      location: { url: redis.url },
      keyspace,
      id,
      firstBeat: 'register',
      intervalMs: 20,
      ttlMs: 500,
      logger,
      onBeat: () => {
        heard.beats += 1;
      },
      onMiss: (beat) => heard.missed.push(beat),
      onLapse: () => {
        heard.lapses += 1;
      },
      ...options,
    });
    return { made, heard, logger, [Symbol.asyncDispose]: () => made.end() };
  }

  test('beats each interval, over a connection that bears the name of the instance', async () => {
    await using it = pulse();
    const admin = redis.connect();
    await eventually(() => expect(it.heard.beats).toBeGreaterThan(3));
    expect(await admin.client('LIST')).toContain('name=tsq:host-1:heartbeat');
    const first = await admin.get(keyspace.instance(id));
    await eventually(async () => expect(await admin.get(keyspace.instance(id))).not.toBe(first));
  });

  test('ends, and beats no more, once the id was declared dead', async () => {
    await using it = pulse();
    const admin = redis.connect();
    await eventually(() => expect(it.heard.beats).toBeGreaterThan(0));
    await admin.multi().srem(keyspace.instances, id).del(keyspace.instance(id)).exec();
    await eventually(() => expect(it.heard.lapses).toBe(1));
    expect(await admin.exists(keyspace.instance(id))).toBe(0);
  });

  test('S2: an id whose registration got no reply is not registered a second time', async () => {
    const proxy = await TcpProxy.before(redis.port);
    await using _closing = { [Symbol.asyncDispose]: () => proxy.close() };
    const admin = redis.connect();
    const dropped = proxy.dropReplyTo('register');
    await using it = pulse({ location: { url: proxy.url } });
    await dropped;
    proxy.mode = 'hole';
    await eventually(async () => expect(await admin.smembers(keyspace.instances)).toEqual([id]));
    await admin.srem(keyspace.instances, id); // declared dead meanwhile
    proxy.mode = 'pass';
    proxy.cutAll();
    await eventually(() => expect(it.heard.lapses).toBe(1));
    expect(await admin.smembers(keyspace.instances)).toEqual([]);
  });

  test('an id whose registration Redis refused is registered when Redis takes it', async () => {
    const admin = redis.connect();
    await admin.set(keyspace.instances, 'in the way');
    await using it = pulse();
    await eventually(() => expect(it.logger.matching('warn', 'a heartbeat failed')).toHaveLength(1));
    await eventually(() => expect(it.heard.missed.length).toBeGreaterThan(1)); // each try, and one line
    const error = expect.stringContaining('WRONGTYPE');
    expect(it.heard.missed[0]).toEqual({
      instance: id,
      reason: 'failed',
      sinceBeatMs: undefined,
      ttlMs: 500,
      error,
    });
    await admin.del(keyspace.instances);
    await eventually(() => expect(it.heard.beats).toBeGreaterThan(0));
    expect(it.heard.lapses).toBe(0);
    expect(it.logger.matching('warn', 'a heartbeat failed')).toHaveLength(1);
    expect(it.logger.matching('info', 'works again')).toHaveLength(1);
  });

  test('goes on over a new connection when the old one swallows what it is given', async () => {
    const proxy = await TcpProxy.before(redis.port);
    await using _closing = { [Symbol.asyncDispose]: () => proxy.close() };
    await using it = pulse({ location: { url: proxy.url } });
    await eventually(() => expect(it.heard.beats).toBeGreaterThan(0));
    proxy.mode = 'hole';
    await eventually(() => expect(it.logger.matching('warn', 'Redis is away')).toHaveLength(1));
    await eventually(() => expect(it.logger.matching('debug', 'a heartbeat failed')).toHaveLength(1));
    const before = it.heard.beats;
    proxy.mode = 'pass';
    await eventually(() => expect(it.heard.beats).toBeGreaterThan(before));
  });

  test('a beat that comes late because nothing ran meanwhile counts as missed, and is told in one line', async () => {
    await using it = pulse({ intervalMs: 100, ttlMs: 10_000 });
    await eventually(() => expect(it.heard.beats).toBeGreaterThan(0));
    const until = performance.now() + 300;
    while (performance.now() < until); // as a frozen host: the timer fires when it is over
    await eventually(() => expect(it.heard.missed.length).toBeGreaterThan(0));
    expect(it.heard.missed[0]).toMatchObject({ reason: 'late', error: undefined });
    expect(it.heard.missed[0]?.sinceBeatMs).toBeGreaterThanOrEqual(200);
    expect(it.logger.matching('warn', 'came late').length).toBeGreaterThan(0);
    expect(it.logger.matching('warn', 'failed')).toEqual([]);
  });

  test('a beat that is asked for while another is under way follows it', async () => {
    let beats = 0;
    const onBeat = () => {
      beats += 1;
      if (beats === 1) it.made.beatNow();
    };
    await using it = pulse({ intervalMs: 600_000, ttlMs: 1_200_000, onBeat });
    await eventually(() => expect(beats).toBe(2));
  });

  test('L3: leaves no key when it retires, and no beat follows', async () => {
    await using it = pulse();
    await eventually(() => expect(it.heard.beats).toBeGreaterThan(0));
    expect(await it.made.retire()).toBe('gone');
    expect(await redis.connect().keys('*')).toEqual([]);
  });

  test('leaves its claims to the others when it retires with some', async () => {
    await using it = pulse();
    const admin = redis.connect();
    await eventually(() => expect(it.heard.beats).toBeGreaterThan(0));
    await hold(admin, keyspace, id, [{ queue: 'q', bytes: 'one' }]);
    expect(await it.made.retire()).toBe('left');
    expect(await admin.exists(keyspace.instance(id))).toBe(0);
    expect(await admin.smembers(keyspace.instances)).toEqual([id]);
  });

  test('retires without Redis, and says that nobody heard it', async () => {
    const proxy = await TcpProxy.before(redis.port);
    await using _closing = { [Symbol.asyncDispose]: () => proxy.close() };
    await using it = pulse({ location: { url: proxy.url } });
    await eventually(() => expect(it.heard.beats).toBeGreaterThan(0));
    await proxy.close();
    expect(await it.made.retire()).toBe('unconfirmed');
    expect(it.logger.matching('warn', 'no goodbye')).toHaveLength(1);
  });
});
