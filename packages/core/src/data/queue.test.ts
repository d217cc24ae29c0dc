import { describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { describeWithRuby, useRedis } from '../test-support/index.js';
import { Queue } from './queue.js';

const job = (jid: string, more = '') => `{"class":"W","args":[],"jid":"${jid}"${more}}`;
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => String(from + at));

/** The first is the oldest. */
async function fill(redis: Redis, jids: readonly string[], name = 'default'): Promise<void> {
  if (jids.length > 0) await redis.lpush(`queue:${name}`, ...jids.map((jid) => job(jid)));
}

describe('Queue', () => {
  const server = useRedis();

  async function jidsOf(queue: Queue): Promise<(string | undefined)[]> {
    const jids: (string | undefined)[] = [];
    for await (const { jid } of queue) jids.push(jid);
    return jids;
  }

  test.each([0, 1, 49, 50, 51, 230])('of %i jobs gives each once, the oldest first', async (count) => {
    const redis = server.connect();
    await fill(redis, numbers(1, count));
    expect(await jidsOf(new Queue(redis))).toEqual(numbers(1, count));
  });

  test('a reader that deletes every second job meets all of them once', async () => {
    const redis = server.connect();
    await fill(redis, numbers(1, 330));
    const met: (string | undefined)[] = [];
    for await (const found of new Queue(redis)) {
      met.push(found.jid);
      if (met.length % 2 === 0) expect(await found.delete()).toBe(true);
    }
    expect(met).toEqual(numbers(1, 330));
    expect(await redis.llen('queue:default')).toBe(165);
  });

  test('a reader that deletes whole pages in the middle meets all jobs once', async () => {
    const redis = server.connect();
    await fill(redis, numbers(1, 500));
    const met: (string | undefined)[] = [];
    for await (const found of new Queue(redis)) {
      met.push(found.jid);
      if (met.length > 60 && met.length < 320) await found.delete();
    }
    expect(met).toEqual(numbers(1, 500));
  });

  test.each([1, 30, 49, 50, 130])(
    'while workers take %i jobs for each page and clients push as many, no job that waits is passed over',
    async (taken) => {
      const redis = server.connect();
      await fill(redis, numbers(1, 600));
      const met = new Set<string | undefined>();
      let pushed = 600;
      for await (const { jid } of new Queue(redis)) {
        met.add(jid);
        if (met.size % 50 !== 0 || pushed > 2_000) continue;
        await redis.rpop('queue:default', taken);
        await fill(redis, numbers(pushed + 1, pushed + taken));
        pushed += taken;
      }
      const waiting = await redis.lrange('queue:default', 0, -1);
      expect(waiting.filter((bytes) => !met.has(JSON.parse(bytes).jid))).toEqual([]);
    },
  );

  test('jobs that come back at the tail move nobody out of sight', async () => {
    const redis = server.connect();
    await fill(redis, numbers(1, 150));
    const met: (string | undefined)[] = [];
    for await (const { jid } of new Queue(redis)) {
      met.push(jid);
      if (met.length === 10 || met.length === 60)
        await redis.rpush('queue:default', ...numbers(1, 70).map((n) => job(`back-${met.length}-${n}`)));
    }
    expect(met).toEqual(numbers(1, 150));
  });

  test('jobs with the same bytes are each given', async () => {
    const redis = server.connect();
    await redis.lpush('queue:default', ...Array.from({ length: 120 }, () => job('same')));
    expect(await jidsOf(new Queue(redis))).toHaveLength(120);
  });

  test('another one who deletes all that was met so far costs no job its turn', async () => {
    const redis = server.connect();
    await fill(redis, numbers(1, 200));
    const met = new Set<string | undefined>();
    for await (const { jid } of new Queue(redis)) {
      met.add(jid);
      if (met.size === 100)
        for (const gone of numbers(51, 100)) await redis.lrem('queue:default', 1, job(gone));
    }
    expect([...met]).toEqual(numbers(1, 200));
  });

  test('bytes that nobody can read are a job without a class, and can be deleted', async () => {
    const redis = server.connect();
    const bytes = Buffer.from([0x7b, 0xff, 0x00]);
    await redis.lpush('queue:default', bytes);
    for await (const found of new Queue(redis)) {
      expect([found.class, found.args, found.jid, found.queue]).toEqual([
        undefined,
        undefined,
        undefined,
        'default',
      ]);
      expect(found.bytes).toEqual(bytes);
      expect(await found.delete()).toBe(true);
      expect(await found.delete()).toBe(false);
    }
    expect(await redis.llen('queue:default')).toBe(0);
  });

  test('of two who delete one job, one is told that he did', async () => {
    const redis = server.connect();
    await fill(redis, ['1', '2']);
    const [mine, theirs] = [await new Queue(redis).find('1'), await new Queue(server.connect()).find('1')];
    const answers = await Promise.all([mine?.delete(), theirs?.delete()]);
    expect(answers.sort()).toEqual([false, true]);
    expect(await jidsOf(new Queue(redis))).toEqual(['2']);
  });

  test('find looks through all pages, and says when there is none', async () => {
    const redis = server.connect();
    await fill(redis, numbers(1, 230));
    const queue = new Queue(redis);
    expect((await queue.find('229'))?.bytes.toString()).toBe(job('229'));
    expect(await queue.find('231')).toBeUndefined();
  });

  test('clear tells how many went, and takes the queue off the list; another key of that name stays', async () => {
    const redis = server.connect();
    await redis.sadd('queues', 'low', 'odd');
    await fill(redis, numbers(1, 3), 'low');
    await redis.set('queue:odd', 'x');
    expect(await new Queue(redis, 'low').clear()).toBe(3);
    expect(await redis.exists('queue:low')).toBe(0);
    expect(await redis.smembers('queues')).toEqual(['odd']);
    await expect(new Queue(redis, 'odd').clear()).rejects.toMatchObject({ code: 'TSQ_REDIS_REFUSED' });
    expect(await redis.get('queue:odd')).toBe('x');
  });

  test('pause and unpause say whether they changed something', async () => {
    const redis = server.connect();
    const queue = new Queue(redis, 'low');
    expect([await queue.pause(), await queue.pause(), await queue.paused()]).toEqual([true, false, true]);
    expect(await redis.smembers('paused')).toEqual(['low']);
    expect([await queue.unpause(), await queue.unpause(), await queue.paused()]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test.each([
    ['enqueued_at in seconds', ',"created_at":1.0,"enqueued_at":1000000000.5', 1_000_000_000.5],
    ['enqueued_at in milliseconds', ',"enqueued_at":1000000000500', 1_000_000_000.5],
    ['created_at where the other is missing', ',"created_at":1000000000500', 1_000_000_000.5],
  ])('its latency is the time since %s', async (_what, more, since) => {
    const redis = server.connect();
    await redis.lpush('queue:default', job('oldest', more), job('younger', ',"enqueued_at":2000000000.0'));
    const latency = await new Queue(redis).latencySeconds();
    const [seconds] = await redis.time();
    expect(Math.abs(Number(seconds) - since - latency)).toBeLessThan(60);
  });

  test('its latency is 0 when it is empty, when the job does not say, and when the job comes from the future', async () => {
    const redis = server.connect();
    const latency = () => new Queue(redis).latencySeconds();
    expect(await latency()).toBe(0);
    await redis.rpush('queue:default', job('a'));
    expect(await latency()).toBe(0);
    await redis.rpush('queue:default', job('b', ',"enqueued_at":99999999999.0'));
    expect(await latency()).toBe(0);
    await redis.rpush('queue:default', '{not json');
    expect(await latency()).toBe(0);
  });

  test('a page of a long queue takes as many commands as one of a short queue', async () => {
    const redis = server.connect();
    await fill(redis, numbers(1, 10_000));
    await fill(redis, numbers(1, 100), 'short');
    const commands = async (name: string, number: number) => {
      await redis.config('RESETSTAT');
      const { jobs } = await new Queue(redis, name).page({ number });
      expect(jobs).toHaveLength(25);
      return (await redis.info('commandstats')).match(/cmdstat_(?!config|info)[^:]+:calls=\d+/g);
    };
    expect(await commands('default', 300)).toEqual(await commands('short', 3));
  });

  test('page 2 goes on where page 1 ended, and a page behind the last is empty', async () => {
    const redis = server.connect();
    await fill(redis, numbers(1, 5));
    const queue = new Queue(redis);
    const page = async (number: number) => {
      const { size, jobs } = await queue.page({ number, pageSize: 2 });
      return [size, ...jobs.map(({ jid }) => jid)];
    };
    expect([await page(1), await page(2), await page(3), await page(4)]).toEqual([
      [5, '1', '2'],
      [5, '3', '4'],
      [5, '5'],
      [5],
    ]);
  });

  test('a queue without a name is refused', () => {
    expect(() => new Queue(server.connect(), '')).toThrow(
      expect.objectContaining({ code: 'TSQ_QUEUE_NAME_INVALID' }),
    );
  });
});

describeWithRuby("Ruby's Queue on the same Redis", (ruby) => {
  const server = useRedis();
  const run = (script: string, ...args: unknown[]) => ruby.run(script, { redisUrl: server.url, args });

  test('has the same queues and the same jobs, and each sees what the other deletes and clears', async () => {
    const redis = server.connect();
    await run(`
      3.times { |n| Sidekiq::Client.push('class' => 'Ruby::Job', 'args' => [n, 'é', 2**70], 'tags' => ['x']) }
      Sidekiq::Client.push('class' => 'Ruby::Job', 'args' => [], 'queue' => 'low')
    `);
    await fill(redis, numbers(1, 120));
    const theirs = await run(`
      Sidekiq::Queue.all.map do |queue|
        jobs = queue.map { |job| [job.value, job.jid, job.klass, job.queue, job.tags, job.display_class] }
        [queue.name, queue.size, jobs.reverse]
      end
    `);
    const ours = await Promise.all(
      (await Queue.all(redis)).map(async (queue) => {
        const jobs: unknown[] = [];
        for await (const found of queue) {
          jobs.push([
            found.bytes.toString(),
            found.jid,
            found.class,
            found.queue,
            found.tags,
            found.displayClass,
          ]);
        }
        return [queue.name, await queue.size(), jobs];
      }),
    );
    expect(ours).toEqual(theirs);

    expect(await run("Sidekiq::Queue.new.find_job('7').delete")).toBe(true);
    expect(await new Queue(redis).find('7')).toBeUndefined();
    expect(await (await new Queue(redis).find('8'))?.delete()).toBe(true);
    expect(await run("Sidekiq::Queue.new.find_job('8')")).toBeNull();
    expect(await new Queue(redis, 'low').clear()).toBe(1);
    expect(await run('Sidekiq::Queue.all.map(&:name)')).toEqual(['default']);
  });

  test('has the same latency', async () => {
    const redis = server.connect();
    await run("Sidekiq::Client.push('class' => 'Ruby::Job', 'args' => [])");
    const latency = await new Queue(redis).latencySeconds();
    const later = Number(await run('Sidekiq::Queue.new.latency'));
    expect(latency).toBeGreaterThanOrEqual(0);
    expect(later).toBeGreaterThanOrEqual(latency - 1);
  });
});
