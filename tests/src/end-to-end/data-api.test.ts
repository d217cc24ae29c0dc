/** The data API and Ruby's, on one Redis: each reads and moves what the other wrote. */
import { describe, expect, test } from '@jest/globals';
import {
  Client,
  DeadSet,
  type JobSet,
  type JsonValue,
  MiddlewareChain,
  type Outcome,
  Payload,
  RetrySet,
  ScheduledSet,
  type SortedEntry,
} from '@tsq/core';
import { describeWithRuby, useRedis } from '@tsq/core/test-support';
import { defineWorker, JobStats, Processor, RunningJobs, WorkerRegistry } from '@tsq/worker';

const odd: readonly JsonValue[] = [
  ...[
    1,
    0.1,
    1e20,
    1e16,
    1e-5,
    123_456_789_012_345_678_901_234_567_890n,
    -9_007_199_254_740_993n,
    null,
    true,
  ],
  ...['é\u2028<>&/"\\\u0001\u007f😀', { b: [], a: {}, ключ: [[{ x: [1.5] }]] }, ''],
];
/** The same from Ruby, and what this language can not write. */
const rubyOdd = `[1.0, 100.0, 0.1, 1e20, 1e16, 1e-5, -0.0, 2**70, "é\\u2028<>&/\\"\\\\\\u0001\\u007f", {"b" => [], "a" => {"2" => 1, "10" => 2.0}}]`;

const sets = {
  schedule: ['ScheduledSet', ScheduledSet],
  retry: ['RetrySet', RetrySet],
  dead: ['DeadSet', DeadSet],
} as const;
const keysOfSets = ['schedule', 'retry', 'dead'] as const;

async function all(set: JobSet): Promise<SortedEntry[]> {
  const entries: SortedEntry[] = [];
  for await (const entry of set) entries.push(entry);
  return entries;
}

async function first(set: JobSet): Promise<SortedEntry> {
  const [entry] = await all(set);
  if (entry === undefined) throw new Error('there is no entry');
  return entry;
}

/** Rows of Ruby's set, the earliest first, each with its times. JSON made by Ruby, so that 1.0 is told from 1. */
const rows = (name: string) => `
  Sidekiq::${name}.new.to_a.reverse.map do |it|
    times = [it.at, it.created_at, it.enqueued_at || it.created_at].map { |time| (time.to_r * 1000).floor }
    [[it.score, it.value, it.jid, it.klass, it.display_class, JSON.generate(it.args), it.queue,
      it.tags, it['error_class'], it['error_message'], it['retry_count'], it.error_backtrace], times]
  end
`;

const row = (it: SortedEntry) => [
  ...[Number(it.score), it.bytes.toString(), it.jid, it.class, it.displayClass],
  ...[it.payload?.raw('args')?.toString(), it.queue, it.tags, it.errorClass ?? null, it.errorMessage ?? null],
  ...[it.retryCount ?? null, it.errorBacktrace ?? null],
];

/** In milliseconds; a Date and Ruby's floats may differ by parts of one. */
const timesOf = (it: SortedEntry) =>
  [it.at, it.createdAt, it.enqueuedAt ?? it.createdAt].map((at) => at?.getTime() ?? 0);

const failing = defineWorker('W', { backtrace: 2 }, () => {
  throw new RangeError('no "luck" – é\n');
});

/** As tsq's runtime writes a failure: the bytes for the retry set. */
async function failed(bytes: Buffer): Promise<Buffer> {
  let outcome: Outcome | undefined;
  const processor = new Processor({
    registry: new WorkerRegistry([failing]),
    middleware: new MiddlewareChain(),
    ...{ running: new RunningJobs(), stats: new JobStats() },
  });
  await processor.process({
    queue: 'default',
    bytes,
    whenLost: undefined,
    settle: async (given) => {
      outcome = given;
      return 'settled';
    },
    release: () => undefined,
  });
  if (outcome?.kind !== 'retry') throw new Error(`expected a retry, got ${outcome?.kind}`);
  return outcome.bytes;
}

describeWithRuby("the data API and Ruby's on one Redis", (ruby) => {
  const server = useRedis();
  const run = (script: string, ...args: unknown[]) => ruby.run(script, { redisUrl: server.url, args });

  /** One entry in each set, written by tsq's client and its failure path. */
  async function writtenByTsq(): Promise<void> {
    const redis = server.connect();
    const client = new Client({ url: server.url });
    await client.with({ tags: ['t'], custom: { x: 1.5, list: [1e20] } }).enqueueIn(3_600, 'W', odd);
    await client.with({ queue: 'low', backtrace: true }).enqueue('W', odd);
    await client.close();
    const bytes = await redis.rpopBuffer('queue:low');
    if (bytes === null) throw new Error('nothing was pushed');
    const once = await failed(bytes);
    await redis.zadd('retry', 1_900_000_000.25, once);
    await redis.zadd(
      'dead',
      1_800_000_000.123456,
      await failed(Payload.parse(once).edit({ jid: '"another"' })),
    );
  }

  /** The same by Ruby's client and its failure path. */
  async function writtenByRuby(): Promise<void> {
    await run(`
      require 'sidekiq/job_retry'
      class Fails
        include Sidekiq::Worker
        sidekiq_options retry: 5, backtrace: 2, tags: ['t']
      end
      odd = ${rubyOdd}
      Fails.perform_in(3600, *odd)
      2.times do |round|
        text = JSON.generate('class' => 'Fails', 'args' => odd, 'jid' => "j#{round}", 'queue' => 'low', 'retry' => 5,
                             'backtrace' => 2, 'created_at' => Time.now.to_f, 'enqueued_at' => Time.now.to_f)
        begin
          Sidekiq::JobRetry.new.local(Fails.new, text, 'low') { raise ArgumentError, 'no "luck" é' }
        rescue Sidekiq::JobRetry::Skip
        end
      end
      Sidekiq::RetrySet.new.find_job('j1').kill
    `);
  }

  const writers: readonly [string, () => Promise<void>][] = [
    ['tsq', writtenByTsq],
    ['Ruby', writtenByRuby],
  ];

  describe.each(writers)('of entries that %s wrote', (_writer, write) => {
    test.each(keysOfSets)('%s shows the same to both', async (key) => {
      await write();
      const [rubyName, SetOfKey] = sets[key];
      const [entry] = await all(new SetOfKey(server.connect()));
      if (entry === undefined) throw new Error('there is no entry');
      const [theirs, ...others] = (await run(rows(rubyName))) as [unknown[], number[]][];
      expect([row(entry), others]).toEqual([theirs?.[0], []]);
      for (const [at, time] of timesOf(entry).entries()) {
        expect(Math.abs(time - (theirs?.[1][at] ?? 0))).toBeLessThanOrEqual(1);
      }
    });

    test.each(keysOfSets)(
      'reschedule in %s leaves one entry with its bytes, by tsq and by Ruby',
      async (key) => {
        await write();
        const redis = server.connect();
        const [rubyName, SetOfKey] = sets[key];
        const before = await redis.zrangeBuffer(key, '0', '-1');
        expect(before).toHaveLength(1);
        expect(await (await first(new SetOfKey(redis))).reschedule(2_000_000_000.5)).toBe(true);
        expect(await redis.zrangeBuffer(key, '0', '-1')).toEqual(before);
        expect(await redis.zrange(key, '0', '-1', 'WITHSCORES')).toEqual([expect.anything(), '2000000000.5']);
        await run(`Sidekiq::${rubyName}.new.first.reschedule(Time.at(1_950_000_000))`);
        expect(await redis.zrangeBuffer(key, '0', '-1')).toEqual(before);
        expect(Number(await redis.zscore(key, before[0] ?? ''))).toBeCloseTo(1_950_000_000, 3);
      },
    );

    test.each(['retry', 'add_to_queue'])('%s by Ruby and by tsq leads to the same job', async (action) => {
      await write();
      const redis = server.connect();
      const bytes = (await redis.zrangeBuffer('retry', '0', '-1'))[0] ?? '';
      await run(`Sidekiq::RetrySet.new.first.${action}`);
      const queue = 'low';
      const theirs = await redis.rpop(`queue:${await queueIn(redis, queue)}`);
      await redis.zadd('retry', 5, bytes);
      const entry = await first(new RetrySet(redis));
      expect(await (action === 'retry' ? entry.retry() : entry.addToQueue())).toBe(true);
      const ours = await redis.rpop(`queue:${await queueIn(redis, queue)}`);
      const parsed = (text: string | null) => ({
        ...JSON.parse(text ?? '{}'),
        enqueued_at: typeof JSON.parse(text ?? '{}').enqueued_at,
      });
      expect(parsed(ours)).toEqual(parsed(theirs));
      expect(await redis.exists('retry')).toBe(0);
    });

    test('what one killed, deleted and found, the other finds and misses', async () => {
      await write();
      const redis = server.connect();
      const [retry] = await all(new RetrySet(redis));
      const [bytes] = await redis.zrangeBuffer('retry', '0', '-1');
      expect(await retry?.kill()).toBe(true);
      expect(await run('Sidekiq::DeadSet.new.find_job(args[0]).value', retry?.jid)).toBe(bytes?.toString());
      expect(await run('[Sidekiq::RetrySet.new.size, Sidekiq::DeadSet.new.size]')).toEqual([0, 2]);
      const [scheduled] = await all(new ScheduledSet(redis));
      await run('Sidekiq::ScheduledSet.new.first.kill');
      expect((await new DeadSet(redis).find(scheduled?.jid ?? ''))?.bytes).toEqual(scheduled?.bytes);
      const id = await run(
        'Sidekiq::DeadSet.new.find_job(args[0]).then { |it| "#{it.score}-#{it.jid}" }',
        scheduled?.jid,
      );
      const fetched = await new DeadSet(redis).fetch(String(id));
      expect(fetched?.bytes).toEqual(scheduled?.bytes);
      expect(await fetched?.delete()).toBe(true);
      expect(await run('Sidekiq::DeadSet.new.find_job(args[0])', scheduled?.jid)).toBeNull();
      await run('Sidekiq::DeadSet.new.each(&:delete)');
      expect(await new DeadSet(redis).size()).toBe(0);
    });
  });

  test('of an action by Ruby and one by tsq at the same moment, the job is there once at the end', async () => {
    const redis = server.connect();
    const payload = (jid: number) =>
      `{"class":"W","args":[],"queue":"default","retry":true,"jid":"${jid}","created_at":1.5}`;
    const count = 200;
    const jids = Array.from({ length: count }, (_, jid) => jid);
    await redis.zadd('retry', ...jids.flatMap((jid) => [jid + 0.5, payload(jid)]));
    // Scores of their own: Ruby takes every entry of a score away before it puts the others back.
    const theirs = run('Sidekiq::RetrySet.new.to_a.shuffle.each(&:retry)');
    const tsq = new RetrySet(redis);
    let done = 0;
    while ((await tsq.size()) > 0) done += (await tsq.retryAll({ where: () => Math.random() < 0.2 })).done;
    await theirs;
    expect(done).toBeLessThanOrEqual(count);
    const queued = (await redis.lrange('queue:default', 0, -1)).map((bytes) => Number(JSON.parse(bytes).jid));
    expect(queued.sort((a, b) => a - b)).toEqual(jids);
  });
});

async function queueIn(
  redis: ReturnType<ReturnType<typeof useRedis>['connect']>,
  guess: string,
): Promise<string> {
  const names = await redis.smembers('queues');
  for (const name of [guess, ...names]) if ((await redis.llen(`queue:${name}`)) > 0) return name;
  throw new Error('nothing was queued');
}
