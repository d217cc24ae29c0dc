/** Ruby's API reads tsq's state and steers it, as the Web UI does. */
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { describeWithRuby, eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

describeWithRuby("Ruby's API on tsq's state", (ruby) => {
  const redis = useRedis();
  const tsq = useTsqWorkers();
  const run = (script: string, ...args: unknown[]) => ruby.run(script, { redisUrl: redis.url, args });

  async function enqueue(name: string, args: readonly (string | number)[], retry = 25): Promise<string> {
    const client = new Client({ url: redis.url });
    try {
      return (await client.with({ retry }).enqueue(name, args)) ?? '';
    } finally {
      await client.close();
    }
  }

  test('a failure stands in RetrySet, is retried from Ruby, and lands in DeadSet', async () => {
    await tsq.start(redis.url, '-q', 'default');
    const jid = await enqueue('Interop::Failing', ['no such luck'], 1);
    await eventually(async () => expect(await redis.connect().zcard('retry')).toBe(1));
    const entry = await run(`
      entry = Sidekiq::RetrySet.new.first
      [entry.jid, entry.klass, entry.queue, entry['error_class'], entry['error_message'], entry['retry_count'],
       entry['failed_at'].class.name, entry.args, entry.error_backtrace.size, entry.at > Time.now]
    `);
    expect(entry).toEqual([
      ...[jid, 'Interop::Failing', 'default', 'RangeError', 'no such luck', 0],
      ...['Float', ['no such luck'], 3, true],
    ]);
    // Not `retry`: that takes the count back by one, so that the job would never run out of retries.
    await run('Sidekiq::RetrySet.new.first.add_to_queue');
    await eventually(async () => expect(await redis.connect().zcard('dead')).toBe(1));
    const dead = await run(`
      entry = Sidekiq::DeadSet.new.first
      [entry.jid, entry['retry_count'], entry['retried_at'].class.name, Sidekiq::RetrySet.new.size]
    `);
    expect(dead).toEqual([jid, 1, 'Float', 0]);
    expect(tsq.journal.jids('fail').filter((failed) => failed === jid)).toHaveLength(2);
  });

  test('the process, what it works on and the counts are seen', async () => {
    const worker = await tsq.start(redis.url, '-q', 'default,2', '-q', 'low,1', '-c', '3', '--tag', 'shop');
    await enqueue('Interop::Echo', [1]);
    const jid = await enqueue('Interop::Sleeping', [60_000]);
    await eventually(() => expect(tsq.journal.jids('start')).toContain(jid));
    await eventually(async () => {
      const seen = await run(`
        process = Sidekiq::ProcessSet.new.first
        work = Sidekiq::Workers.new.map { |_process, _thread, work| [work['queue'], work['payload']['jid']] }
        stats = Sidekiq::Stats.new
        { pid: process['pid'], tag: process.tag, queues: process['queues'].sort, concurrency: process['concurrency'],
          busy: process['busy'], started: Time.at(process['started_at']) <= Time.now, labels: process.labels,
          quiet: process.stopping?, work: work, processed: stats.processed, failed: stats.failed,
          workers: stats.workers_size, size: Sidekiq::ProcessSet.new.size }
      `);
      expect(seen).toEqual({
        ...{
          pid: worker.pid,
          tag: 'shop',
          queues: ['default', 'low'],
          concurrency: 3,
          busy: 1,
          started: true,
        },
        ...{
          labels: [],
          quiet: false,
          work: [['default', jid]],
          processed: 1,
          failed: 0,
          workers: 1,
          size: 1,
        },
      });
    });
    await worker.end('SIGKILL');
  });

  test("latency and size of a queue that tsq's client filled are read", async () => {
    await enqueue('Interop::Echo', [1]);
    const [latency, size, names] = (await run(`
      queue = Sidekiq::Queue.new('default')
      [queue.latency, queue.size, Sidekiq::Queue.all.map(&:name)]
    `)) as [number, number, string[]];
    expect(latency).toBeGreaterThanOrEqual(0);
    expect(latency).toBeLessThan(60);
    expect([size, names]).toEqual([1, ['default']]);
  });

  test('quiet! stops it from fetching, stop! ends it in good order', async () => {
    const worker = await tsq.start(redis.url, '-q', 'default');
    await eventually(async () => expect(await run('Sidekiq::ProcessSet.new.size')).toBe(1));
    await run('Sidekiq::ProcessSet.new.each(&:quiet!)');
    await eventually(async () => expect(await run('Sidekiq::ProcessSet.new.first.stopping?')).toBe(true));
    await enqueue('Interop::Echo', ['after quiet']);
    await run('Sidekiq::ProcessSet.new.each(&:stop!)');
    await eventually(() => expect(worker.ending).toBe(0));
    expect(await run("[Sidekiq::ProcessSet.new.size, Sidekiq::Queue.new('default').size]")).toEqual([0, 1]);
  });
});
