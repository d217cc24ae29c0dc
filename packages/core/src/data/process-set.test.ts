import { describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { describeWithRuby, eventually, useRedis } from '../test-support/index.js';
import type { Process } from './process.js';
import { ProcessSet } from './process-set.js';
import { type Work, WorkSet } from './work-set.js';

/** As captured of each version. */
const hashes = {
  'vm:1:641': {
    info: '{"hostname":"vm","started_at":1795466618.735013,"pid":1,"tag":"mytag","concurrency":3,"queues":["default","low"],"labels":["a"],"identity":"vm:1:641"}',
    ...{ busy: '1', beat: '1795466828.9104342', quiet: 'false', rss: '29068', rtt_us: '943' },
  },
  'vm:2:739': {
    info: '{"hostname":"vm","started_at":1795466698.0520587,"pid":2,"tag":"","concurrency":5,"queues":["default"],"weights":[{"default":2}],"labels":[],"identity":"vm:2:739","version":"7.3.9","embedded":true}',
    ...{ busy: '0', beat: '1795466828.0', quiet: 'true', rss: '1000', rtt_us: '1' },
  },
  'vm:3:817': {
    info: '{"hostname":"vm","started_at":1795466808.87228,"pid":3,"tag":"t","capsules":{"default":{"concurrency":3,"mode":"weighted","weights":{"default":2}}},"queues":["default"],"weights":[{"default":2}],"labels":[],"identity":"vm:3:817","version":"8.1.7","embedded":false}',
    ...{ concurrency: '7', busy: '2', beat: '1795466828.5', quiet: 'false', rss: '5', rtt_us: '2' },
  },
};

async function register(redis: Redis): Promise<void> {
  for (const [identity, hash] of Object.entries(hashes)) {
    await redis.sadd('processes', identity);
    await redis.hset(identity, hash);
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function only(redis: Redis, identity: string): Promise<Process> {
  const found = (await all(new ProcessSet(redis))).find((process) => process.identity === identity);
  if (found === undefined) throw new Error(`there is no ${identity}`);
  return found;
}

describe('ProcessSet', () => {
  const server = useRedis();

  test('reads the processes of each version, and leaves out one whose hash has expired', async () => {
    const redis = server.connect();
    await register(redis);
    await redis.sadd('processes', 'gone:9:x');
    const set = new ProcessSet(redis);
    const seen = (await all(set)).map((process) => [
      ...[process.identity, process.pid, process.tag, process.labels, process.queues, process.concurrency],
      ...[process.busy, process.isQuiet, process.version, process.isEmbedded, process.rssKibibytes],
      ...[process.rttMicroseconds, process.hostname, process.startedAt.getTime(), process.beatAt.getTime()],
    ]);
    expect(seen).toEqual([
      [
        'vm:1:641',
        1,
        'mytag',
        ['a'],
        ['default', 'low'],
        3,
        1,
        false,
        '',
        false,
        29068,
        943,
        'vm',
        1795466618735,
        1795466828910,
      ],
      [
        'vm:2:739',
        2,
        '',
        [],
        ['default'],
        5,
        0,
        true,
        '7.3.9',
        true,
        1000,
        1,
        'vm',
        1795466698052,
        1795466828000,
      ],
      [
        'vm:3:817',
        3,
        't',
        [],
        ['default'],
        7,
        2,
        false,
        '8.1.7',
        false,
        5,
        2,
        'vm',
        1795466808872,
        1795466828500,
      ],
    ]);
    expect([await set.size(), await set.totalConcurrency(), await set.totalRssKibibytes()]).toEqual([
      4, 15, 30073,
    ]);
    expect((await only(redis, 'vm:3:817')).value('weights')).toEqual([{ default: 2 }]);
  });

  test('a process whose info is no JSON is shown by its identity', async () => {
    const redis = server.connect();
    await redis.sadd('processes', 'odd');
    await redis.hset('odd', { info: '{not json', busy: '2' });
    const [odd] = await all(new ProcessSet(redis));
    expect([odd?.identity, odd?.busy, odd?.hostname, odd?.queues]).toEqual(['odd', 2, '', []]);
  });

  test.each([
    ['quiet', 'TSTP'],
    ['stop', 'TERM'],
    ['dump', 'TTIN'],
  ] as const)('%s leaves %s for the process, for a minute', async (method, signal) => {
    const redis = server.connect();
    await register(redis);
    const process = await only(redis, 'vm:1:641');
    await process[method]();
    expect(await redis.lrange('vm:1:641-signals', 0, -1)).toEqual([signal]);
    expect(await redis.ttl('vm:1:641-signals')).toBeGreaterThan(0);
  });

  test.each(['quiet', 'stop', 'dump'] as const)(
    '%s of an embedded process is refused, and nothing is sent',
    async (method) => {
      const redis = server.connect();
      await register(redis);
      const process = await only(redis, 'vm:2:739');
      await expect(process[method]()).rejects.toMatchObject({ code: 'TSQ_PROCESS_EMBEDDED' });
      expect(await redis.exists('vm:2:739-signals')).toBe(0);
    },
  );

  test('cleanup takes those off the list that are gone, once a minute for the whole fleet', async () => {
    const redis = server.connect();
    await register(redis);
    await redis.sadd('processes', 'gone:1:x', 'gone:2:x');
    expect(await Promise.all([new ProcessSet(redis).cleanup(), new ProcessSet(redis).cleanup()])).toEqual([
      2, 0,
    ]);
    expect((await redis.smembers('processes')).sort()).toEqual(Object.keys(hashes));
    expect(await redis.ttl('process_cleanup')).toBeGreaterThan(0);
    await redis.sadd('processes', 'gone:3:x');
    expect(await new ProcessSet(redis).cleanup()).toBe(0);
  });

  test("the leader is '' until there is one", async () => {
    const redis = server.connect();
    expect(await new ProcessSet(redis).leader()).toBe('');
    await redis.set('dear-leader', 'vm:1:x');
    expect(await new ProcessSet(redis).leader()).toBe('vm:1:x');
  });
});

describe('WorkSet', () => {
  const server = useRedis();
  const payload = '{"class":"W","args":[1.0,12345678901234567890,"é\\u0001"],"jid":"j"}';
  const shown = ({ process, thread, queue, runAt, job }: Work) => [
    process,
    thread,
    queue,
    runAt.getTime(),
    job.bytes.toString(),
  ];

  test('reads both keys and both forms of the payload, each with its exact bytes, and a job of both keys once', async () => {
    const redis = server.connect();
    await register(redis);
    const entry = (text: string) => `{"queue":"low","payload":${text},"run_at":1795466808}`;
    await redis.hset('vm:1:641:workers', 'old', entry(JSON.stringify(payload)), 'oldest', entry(payload));
    await redis.hset('vm:3:817:workers', 'both', entry(JSON.stringify(payload)));
    await redis.hset('vm:3:817:work', 'both', entry(JSON.stringify(payload)));
    expect((await all(new WorkSet(redis))).map(shown).sort()).toEqual([
      ['vm:1:641', 'old', 'low', 1795466808000, payload],
      ['vm:1:641', 'oldest', 'low', 1795466808000, payload],
      ['vm:3:817', 'both', 'low', 1795466808000, payload],
    ]);
    expect(await new WorkSet(redis).size()).toBe(3);
  });

  test('what is no entry is left out, and the others are given', async () => {
    const redis = server.connect();
    await redis.sadd('processes', 'p');
    await redis.hset(
      'p:work',
      'a',
      '{',
      'b',
      '{"queue":"q"}',
      'c',
      '{"queue":"q","payload":"{not","run_at":1}',
    );
    const [work, ...others] = await all(new WorkSet(redis));
    expect([work?.thread, work?.job.class, work?.job.bytes.toString(), others]).toEqual([
      'c',
      undefined,
      '{not',
      [],
    ]);
  });
});

describeWithRuby('a Ruby process', (ruby) => {
  const server = useRedis();
  const source = `
    class Waits
      include Sidekiq::Worker
      def perform(*) = Sidekiq.redis { |redis| sleep 0.05 until redis.exists?('let go') }
    end
  `;

  test('and what it runs are the same for both, and it obeys quiet and stop', async () => {
    const redis = server.connect();
    const ran = await ruby.server({
      redisUrl: server.url,
      source,
      queues: ['default', 'low'],
      concurrency: 2,
    });
    const jid = await ruby.run("Sidekiq::Client.push('class' => 'Waits', 'args' => [1.0, 'é'])", {
      redisUrl: server.url,
    });
    const work = await eventually(async () => {
      const [work] = await all(new WorkSet(redis));
      if (work === undefined) throw new Error('nothing runs yet');
      return work;
    }, 30_000);
    const theirs = await ruby.run(
      `processes = Sidekiq::ProcessSet.new(false)
       [processes.map { |it| [it.identity, it['hostname'], it['pid'], it.tag, it.labels, it.queues, it['concurrency'], it['busy']] },
        processes.size, processes.total_concurrency, processes.leader,
        Sidekiq::Workers.new.map { |process, thread, work| [process, thread, work['queue'], work['run_at'], work['payload']['jid']] },
        Sidekiq::Workers.new.size]`,
      { redisUrl: server.url },
    );
    const set = new ProcessSet(redis);
    const processes = await all(set);
    expect([
      processes.map((it) => [
        it.identity,
        it.hostname,
        it.pid,
        it.tag,
        it.labels,
        it.queues,
        it.concurrency,
        it.busy,
      ]),
      ...[await set.size(), await set.totalConcurrency(), await set.leader()],
      [[work.process, work.thread, work.queue, work.runAt.getTime() / 1000, work.job.jid]],
      await new WorkSet(redis).size(),
    ]).toEqual(theirs);
    expect([work.job.jid, work.job.args]).toEqual([jid, [1, 'é']]);
    await processes[0]?.quiet();
    await eventually(async () => expect((await only(redis, work.process)).isQuiet).toBe(true), 30_000);
    await redis.set('let go', '1');
    await processes[0]?.stop();
    await ran.gone();
    expect(await set.size()).toBe(0);
  }, 90_000);
});
