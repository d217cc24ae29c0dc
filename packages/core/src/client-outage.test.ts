/** What a caller of the Client sees when Redis is away, comes back, hangs, or loses a reply. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client, type ClientOptions } from './client.js';
import { EnqueueError } from './enqueue-error.js';
import { eventually, freePort, TcpProxy, TestRedis, useRedis } from './test-support/index.js';

describe('Client without a Redis that answers', () => {
  const server = useRedis();
  const clients: Client[] = [];
  const leftovers: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    for (const end of leftovers.splice(0)) await end();
  });

  function makeClient(options: Partial<ClientOptions>): Client {
    const client = new Client({ url: server.url, ...options } as ClientOptions); // url stays what it is
    clients.push(client);
    return client;
  }

  async function ownRedis(): Promise<TestRedis> {
    const redis = new TestRedis();
    await redis.start();
    leftovers.push(() => redis.stop());
    leftovers.push(() => redis.closeConnections());
    return redis;
  }

  async function errorOf(call: Promise<unknown>): Promise<EnqueueError> {
    const error = await call.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof EnqueueError)) throw new Error('expected an EnqueueError', { cause: error });
    return error;
  }

  test('a refused port: the call rejects at its deadline, says why, and that nothing was sent', async () => {
    const client = makeClient({ url: `redis://127.0.0.1:${await freePort()}`, deadlineMs: 200 });
    const error = await errorOf(client.enqueue('X'));
    expect(error).toMatchObject({
      code: 'TSQ_REDIS_UNAVAILABLE',
      outcome: 'not-pushed',
      pushed: [],
      unsure: [],
    });
    expect(error.message).toMatch(/nothing was sent.*ECONNREFUSED/);
  });

  test('a call that comes before Redis does waits for it', async () => {
    const redis = new TestRedis();
    redis.port = await freePort();
    const client = makeClient({ url: redis.url });
    const jid = client.enqueue('X');
    await redis.start();
    leftovers.push(() => redis.stop());
    expect(await jid).toMatch(/^[0-9a-f]{24}$/);
  });

  test('a killed Redis that comes back is used again, and what was refused meanwhile is not there', async () => {
    const redis = await ownRedis();
    const client = makeClient({ url: redis.url, deadlineMs: 300 });
    await client.enqueue('Before');
    await redis.kill();
    expect(await errorOf(client.enqueue('Meanwhile'))).toMatchObject({ outcome: 'not-pushed' });
    await redis.start();
    await eventually(() => client.enqueue('After'));
    const payloads = await redis.connect().lrange('queue:default', 0, -1);
    expect(payloads.map((payload) => JSON.parse(payload).class)).toEqual(['After']);
  });

  test('a server that hangs: the call rejects at its deadline with an unknown outcome and its jid', async () => {
    const redis = await ownRedis();
    const client = makeClient({ url: redis.url, deadlineMs: 300 });
    await client.enqueue('Before');
    const other = redis.connect();
    await other.call('CLIENT', 'PAUSE', '1500', 'WRITE');
    const error = await errorOf(client.with({ jid: 'doubtful' }).enqueue('During'));
    expect(error).toMatchObject({ code: 'TSQ_REDIS_UNAVAILABLE', outcome: 'unknown', unsure: ['doubtful'] });
    expect(error.message).toMatch(/may or may not be there/);
    await other.call('CLIENT', 'UNPAUSE');
    await eventually(() => client.enqueue('After'));
  });

  test('a server that accepts and never speaks: nothing was sent', async () => {
    const mute = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    leftovers.push(() => closeServer(mute));
    const address = mute.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const client = makeClient({ url: `redis://127.0.0.1:${port}`, deadlineMs: 200 });
    expect(await errorOf(client.enqueue('X'))).toMatchObject({ outcome: 'not-pushed' });
  });

  test('a lost reply: the outcome is unknown and the job was pushed once, never again', async () => {
    const proxy = await TcpProxy.before(server.port);
    leftovers.push(() => proxy.close());
    const client = makeClient({ url: proxy.url, deadlineMs: 2_000 });
    await client.enqueue('Before');
    const dropped = proxy.dropReplyTo('LPUSH');
    const error = await errorOf(client.with({ jid: 'lost-reply' }).enqueue('Lost'));
    await dropped;
    expect(error).toMatchObject({
      code: 'TSQ_REDIS_UNAVAILABLE',
      outcome: 'unknown',
      unsure: ['lost-reply'],
    });
    await client.enqueue('After');
    const payloads = await server.connect().lrange('queue:default', 0, -1);
    expect(payloads.map((payload) => JSON.parse(payload).class)).toEqual(['After', 'Lost', 'Before']);
  });

  test('a connection that swallows everything is given up, and the next call gets a new one', async () => {
    const proxy = await TcpProxy.before(server.port);
    leftovers.push(() => proxy.close());
    const client = makeClient({ url: proxy.url, deadlineMs: 200 });
    await client.enqueue('Before');
    proxy.mode = 'hole';
    await errorOf(client.enqueue('Swallowed'));
    proxy.mode = 'pass';
    await eventually(() => client.enqueue('After'));
  });

  test('a key of the wrong type: refused, with the reply, and the job is not there', async () => {
    await server.connect().set('queue:odd', 'a string');
    const client = makeClient({});
    const [good, odd] = await Promise.allSettled([
      client.enqueue('X'),
      client.with({ queue: 'odd' }).enqueue('X'),
    ]);
    expect(good.status).toBe('fulfilled');
    expect(odd).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'TSQ_REDIS_REFUSED',
        outcome: 'not-pushed',
        message: expect.stringContaining('WRONGTYPE'),
      },
    });
  });

  test('a full Redis refuses the job and says so', async () => {
    const redis = server.connect();
    const client = makeClient({});
    await client.enqueue('X');
    await redis.config('SET', 'maxmemory', '1');
    try {
      expect(await errorOf(client.enqueue('X'))).toMatchObject({
        code: 'TSQ_REDIS_REFUSED',
        message: expect.stringContaining('OOM'),
      });
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
  });

  describe('close', () => {
    test('it lets what is under way end, may be called again, and every later use is refused', async () => {
      const client = makeClient({});
      const under = client.enqueue('X');
      await Promise.all([client.close(), client.close()]);
      expect(await under).toMatch(/^[0-9a-f]{24}$/);
      await client.close();
      const closed = { code: 'TSQ_CLIENT_CLOSED' };
      await expect(client.enqueue('X')).rejects.toMatchObject(closed);
      await expect(client.with({ queue: 'low' }).enqueueIn(5, 'X')).rejects.toMatchObject(closed);
      await expect(client.enqueueBulk('X', [[]])).rejects.toMatchObject(closed);
      expect(await server.connect().llen('queue:default')).toBe(1);
    });

    test('with Redis away it ends when the last call has failed', async () => {
      const client = makeClient({ url: `redis://127.0.0.1:${await freePort()}`, deadlineMs: 200 });
      const under = errorOf(client.enqueue('X'));
      await client.close();
      expect(await under).toMatchObject({ outcome: 'not-pushed' });
    });

    test('a client that was never used closes without a connection', async () => {
      await makeClient({ url: 'redis://127.0.0.1:1' }).close();
    });

    test('`await using` closes it', async () => {
      const client = makeClient({});
      {
        await using scoped = client;
        await scoped.enqueue('X');
      }
      await expect(client.enqueue('X')).rejects.toMatchObject({ code: 'TSQ_CLIENT_CLOSED' });
    });
  });

  describe('a program that has nothing else to do', () => {
    const script = (url: string) => `
      import { Client } from '${new URL('./client.js', import.meta.url)}';
      const client = new Client({ url: '${url}', deadlineMs: 300 });
      client.enqueue('X').then((jid) => console.log('jid', jid), (error) => console.log(error.code, error.outcome));
    `;

    test('it ends by itself after its reply, though the client was not closed', async () => {
      const { stdout } = await run(script(server.url));
      expect(stdout).toMatch(/^jid [0-9a-f]{24}\n$/);
    });

    test('it waits for the deadline when Redis is away, and then ends', async () => {
      const { stdout } = await run(script(`redis://127.0.0.1:${await freePort()}`));
      expect(stdout).toBe('TSQ_REDIS_UNAVAILABLE not-pushed\n');
    });

    test('it ends when Redis goes away while the client is idle', async () => {
      const redis = await ownRedis();
      const child = spawn(process.execPath, ['--input-type=module', '-e', idleScript(redis.url)]);
      leftovers.push(() => void child.kill());
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await redis.kill();
      child.stdin.end(); // the last thing that kept it
      expect(await exitCode(child)).toBe(0);
    });
  });
});

const idleScript = (url: string) => `
  import { Client } from '${new URL('./client.js', import.meta.url)}';
  await new Client({ url: '${url}' }).enqueue('X');
  process.stdin.resume();
  console.log('idle');
`;

async function run(script: string): Promise<{ stdout: string }> {
  return await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  return await new Promise((resolve) => child.once('exit', resolve));
}

async function closeServer(server: Server): Promise<void> {
  server.unref();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}
