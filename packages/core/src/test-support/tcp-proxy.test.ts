/** The proxy does to a connection what its modes say: other tests believe it. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { TcpProxy } from './tcp-proxy.js';
import { TestRedis, useRedis } from './use-redis.js';

const redis = useRedis();
let proxy: TcpProxy;
const open: Redis[] = [];

beforeEach(async () => {
  proxy = await TcpProxy.before(redis.port);
});

afterEach(async () => {
  for (const connection of open.splice(0)) connection.disconnect();
  await proxy.close();
});

async function connected(): Promise<Redis> {
  const connection = new Redis(proxy.url, {
    ...{ maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false },
    retryStrategy: () => 20,
  });
  connection.on('error', () => undefined); // what the proxy is for
  open.push(connection);
  await connection.ping();
  return connection;
}

/** Whether it is answered before what is waited for on another connection. */
async function isAnswered(asked: Promise<unknown>): Promise<boolean> {
  const other = redis.connect();
  return await Promise.race([
    asked.then(() => true),
    (async () => {
      for (let turn = 0; turn < 50; turn += 1) await other.ping();
      return false;
    })(),
  ]);
}

test('half: a request is executed, its reply swallowed, and nothing comes on that connection any more', async () => {
  const connection = await connected();
  proxy.mode = 'half';
  const asked = connection.set('a', '1');
  asked.catch(() => undefined); // at the end
  const other = redis.connect();
  await eventually(async () => expect(await other.get('a')).toBe('1'));
  proxy.mode = 'pass';
  const later = connection.set('b', '2');
  later.catch(() => undefined);
  expect(await isAnswered(later)).toBe(false);
});

test('hole: nothing is executed, and a new connection works when it is over', async () => {
  const connection = await connected();
  proxy.mode = 'hole';
  const asked = connection.set('a', '1');
  asked.catch(() => undefined);
  expect(await isAnswered(asked)).toBe(false);
  expect(await redis.connect().get('a')).toBeNull();
  proxy.mode = 'pass';
  expect(await (await connected()).set('a', '2')).toBe('OK');
});

test('dropReplyTo: the request of its number is executed, and its connection cut before the reply', async () => {
  const connection = await connected();
  const dropped = proxy.dropReplyTo('incr', 2);
  expect(await connection.incr('n')).toBe(1);
  await expect(connection.incr('n')).rejects.toThrow();
  await dropped;
  expect(await redis.connect().get('n')).toBe('2');
  expect(proxy.dropped).toBe(1);
});

test('refuse: what is open is cut, and nobody gets through until it is over', async () => {
  const connection = await connected();
  const closed = new Promise((resolve) => connection.once('close', resolve));
  proxy.mode = 'refuse';
  await closed;
  await expect(connection.ping()).rejects.toThrow();
  proxy.mode = 'pass';
  await eventually(async () => expect(await connection.ping()).toBe('PONG'));
});

test('a delay holds each way, and what comes after it is over does not overtake', async () => {
  const connection = await connected();
  proxy.delayMs = 100;
  const begin = performance.now();
  const slow = connection.incr('n');
  await eventually(async () => expect(await redis.connect().get('n')).toBe('1'));
  proxy.delayMs = 0;
  expect(await Promise.all([slow, connection.incr('n'), connection.incr('n')])).toEqual([1, 2, 3]);
  expect(performance.now() - begin).toBeGreaterThan(90);
});

test('retarget: it leads to another server from now on', async () => {
  const another = new TestRedis();
  await another.start();
  try {
    await redis.connect().set('which', 'first');
    await another.connect().set('which', 'second');
    const connection = await connected();
    expect(await connection.get('which')).toBe('first');
    proxy.retarget(another.port);
    await eventually(async () => expect(await connection.get('which')).toBe('second'));
  } finally {
    another.closeConnections();
    await another.stop();
  }
});
