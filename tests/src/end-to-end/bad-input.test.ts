/**
 * Whatever lies in a queue or in a set: it runs, or it goes to `dead` with its exact bytes and the log says why. The process
 * lives on, and the good jobs around it all end.
 */
import { describe, expect, test } from '@jest/globals';
import { ScheduledSet } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { type AnyWorker, currentJob, defineWorker } from '@tsq/worker';
import { type Runtime, startRuntime } from './runtime.js';
import { type Trap, trapClass, traps } from './traps.js';
import { useTsqWorkers } from './tsq-worker.js';

const neighbours = 10;
const patienceMs = 30_000;

function neighbour(number: number): Buffer {
  return Buffer.from(`{"class":"Good","args":[${number}],"jid":"good-${number}","queue":"default"}`);
}

/** The trap in the middle of ten good ones. */
function around({ bytes }: Trap): readonly Buffer[] {
  const good = Array.from({ length: neighbours }, (_, number) => neighbour(number));
  return [...good.slice(0, 5), bytes, ...good.slice(5)];
}

interface Observed {
  readonly good: ReadonlySet<unknown>;
  /** Args of the trap's runs, as they stood in the payload: a character for each byte. */
  readonly trapped: readonly string[];
  readonly workers: readonly AnyWorker[];
}

/** @param failures how often the trap fails before it runs through */
function observed(failures: number): Observed {
  const good = new Set<unknown>();
  const trapped: string[] = [];
  const workers = [
    defineWorker('Good', { tracked: true }, (number: number) => void good.add(number)),
    defineWorker(trapClass, { tracked: true }, () => {
      const { payload, attempt } = currentJob();
      if (attempt <= failures) throw new Error('not yet');
      trapped.push(String(payload.raw('args')?.toString('latin1')));
    }),
  ];
  return { good, trapped, workers };
}

const redis = useRedis();

async function put(place: 'queue' | 'schedule' | 'retry', payloads: readonly Buffer[]): Promise<void> {
  const connection = redis.connect();
  if (place === 'queue') await connection.lpush('queue:default', ...payloads);
  else await connection.zadd(place, ...payloads.flatMap((bytes): (string | Buffer)[] => ['1', bytes]));
}

/** Of the log's errors, what it says of the reason. */
function reasons({ logger }: Runtime): readonly string[] {
  return logger.lines.filter(({ level }) => level === 'error').map(({ fields }) => String(fields.err));
}

describe.each(['queue', 'schedule', 'retry'] as const)('bad input from %s', (place) => {
  test.each(traps)('$name: it runs or dies as it says, and its neighbours run', async (trap) => {
    const { good, trapped, workers } = observed(0);
    await put(place, around(trap));
    await using runtime = await startRuntime(redis.url, workers);
    await runtime.poller.poll();
    const { fate } = trap;
    await eventually(() => expect(good.size).toBe(neighbours), patienceMs);
    if ('runs' in fate) await eventually(() => expect(trapped).toEqual([fate.runs]), patienceMs);
    await runtime.stop();
    const isDead = 'diesOf' in fate;
    expect(await redis.connect().zrangeBuffer('dead', '0', '-1')).toEqual(isDead ? [trap.bytes] : []);
    expect(reasons(runtime)).toEqual(isDead ? [expect.stringMatching(fate.diesOf)] : []);
    expect(await redis.connect().exists('queue:default', 'retry', 'schedule')).toBe(0);
  });
});

describe('bad input that fails once', () => {
  const runnable = traps.filter(({ fate }) => 'runs' in fate);

  test.each(runnable)('$name: its entry in retry runs with the same args', async ({ bytes, fate }) => {
    const { trapped, workers } = observed(1);
    await put('queue', [bytes]);
    await using runtime = await startRuntime(redis.url, workers);
    const connection = redis.connect();
    const [entry = ''] = await eventually(async () => {
      const entries = await connection.zrangeBuffer('retry', '0', '-1');
      expect(entries).toHaveLength(1);
      return entries;
    }, patienceMs);
    await connection.zadd('retry', 'XX', 0, entry);
    await runtime.poller.poll();
    await eventually(() => expect(trapped).toEqual(['runs' in fate ? fate.runs : '']), patienceMs);
  });
});

describe('a queue with an odd name', () => {
  const names = [
    'a:b|c',
    'mail@home',
    '@',
    'two words',
    'quo"te\\',
    'Übergrößen 😀',
    '{tag}',
    'queue:default',
    '__proto__',
  ];

  test.each(names)('%s: its job runs, fails, and comes back to it', async (queue) => {
    const { trapped, workers } = observed(1);
    const connection = redis.connect();
    const text = `{"class":"${trapClass}","args":[1],"jid":"odd","queue":${JSON.stringify(queue)}}`;
    await connection.lpush(`queue:${queue}`, text);
    await using runtime = await startRuntime(redis.url, workers, { queue });
    await eventually(async () => expect(await connection.zcard('retry')).toBe(1), patienceMs);
    const [entry = ''] = await connection.zrange('retry', '0', '-1');
    expect(JSON.parse(entry)).toMatchObject({ queue });
    await connection.zadd('retry', 'XX', 0, entry);
    await runtime.poller.poll();
    await eventually(() => expect(trapped).toEqual(['[1]']), patienceMs);
    expect(await connection.smembers('queues')).toEqual([queue]);
  });
});

test('a hundred jobs of the same bytes, without a jid, that fail at once are a hundred entries in retry', async () => {
  const { workers } = observed(1);
  const same = Buffer.from(`{"class":"${trapClass}","args":[]}`);
  await put('queue', new Array<Buffer>(100).fill(same));
  await using runtime = await startRuntime(redis.url, workers);
  await eventually(() => expect(runtime.logger.matching('warn', 'fail')).toHaveLength(100), patienceMs);
  await runtime.stop();
  expect(await redis.connect().zcard('retry')).toBe(100);
});

describe('an entry with an odd score', () => {
  test.each(['1e21', '+inf', '1e308'])('%s is due never, and keeps nobody from being due', async (score) => {
    const { good, workers } = observed(0);
    await put('schedule', [neighbour(1)]);
    await redis.connect().zadd('schedule', score, neighbour(2));
    await using runtime = await startRuntime(redis.url, workers);
    await runtime.poller.poll();
    await eventually(() => expect([...good]).toEqual([1]), patienceMs);
    expect(await redis.connect().zrangeBuffer('schedule', '0', '-1')).toEqual([neighbour(2)]);
  });

  test.each(['1e21', '+inf', '-5.5', '1795466562'])('%s is found again by it, and moved', async (score) => {
    await redis.connect().zadd('schedule', score, neighbour(1));
    const set = new ScheduledSet(redis.connect());
    for await (const entry of set) expect(await entry.reschedule(1_795_466_562.25)).toBe(true);
    expect(await redis.connect().zrange('schedule', '0', '-1', 'WITHSCORES')).toEqual([
      neighbour(1).toString(),
      '1795466562.25',
    ]);
  });

  test.each(['-inf', '-5.5', '0', '1795466562e-3'])('%s is due at once', async (score) => {
    const { good, workers } = observed(0);
    await redis.connect().zadd('retry', score, neighbour(1));
    await using runtime = await startRuntime(redis.url, workers);
    await runtime.poller.poll();
    await eventually(() => expect([...good]).toEqual([1]), patienceMs);
  });
});

describe('a tsq-worker', () => {
  const tsq = useTsqWorkers();

  test('lives through all of it at once, and ends with exit code 0', async () => {
    const deadly = traps.filter(({ fate }) => 'diesOf' in fate).map(({ bytes }) => bytes);
    const echo = '{"class":"Interop::Echo","args":[1],"jid":"last"}';
    const unknown = traps.length - deadly.length; // of a class that it does not know: to retry
    await put(
      'schedule',
      traps.map(({ bytes }) => bytes),
    );
    await put('queue', [...traps.map(({ bytes }) => bytes), Buffer.from(echo)]);
    const worker = await tsq.start(redis.url, '-c', '5');
    const connection = redis.connect();
    await eventually(async () => {
      const echoed = tsq.journal.jids('echo').includes('last');
      const [dead, retry] = [await connection.zcard('dead'), await connection.zcard('retry')];
      expect({ echoed, dead, retry }).toEqual({ echoed: true, dead: deadly.length, retry: 2 * unknown });
    }, patienceMs);
    const dead = await connection.zrangeBuffer('dead', '0', '-1');
    expect(new Set(dead.map(String))).toEqual(new Set(deadly.map(String)));
    expect(await worker.end('SIGTERM')).toBe(0);
  }, 90_000);
});
