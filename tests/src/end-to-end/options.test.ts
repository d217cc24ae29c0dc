/** What a payload and its worker say about retries, expiry and context, through a real `tsq-worker`, read back by Ruby. */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { describeWithRuby, eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const workers = fileURLToPath(new URL('./option-workers.js', import.meta.url));

describeWithRuby('the options of jobs and workers', (ruby) => {
  const redis = useRedis();
  const tsq = useTsqWorkers();
  const start = (...flags: string[]) => tsq.start(redis.url, '-r', workers, ...flags);
  const run = (script: string, ...args: unknown[]) => ruby.run(script, { redisUrl: redis.url, args });

  test('a worker says what becomes of its failures, and Ruby finds them there', async () => {
    const admin = redis.connect();
    await start();
    const push = `
      args.map { |list| Sidekiq::Client.push('class' => 'Options::Deciding', 'queue' => 'default', 'args' => list) }
    `;
    const wishes = [[3_600], ['kill'], ['kill', 'discard'], ['discard'], ['nonsense']];
    const jids = (await run(push, ...wishes)) as string[];
    const [later, killed, dropped, discarded, byDefault] = jids;
    await eventually(() =>
      expect([...tsq.journal.jids('died')].toSorted()).toEqual([killed, dropped, discarded].toSorted()),
    );
    expect([...tsq.journal.jids('exhausted')].toSorted()).toEqual([killed, dropped].toSorted());
    await eventually(async () => expect(await admin.zcard('retry')).toBe(2));
    const found = `
      seconds = lambda { |entry| (entry.at - Time.now).round }
      retries = Sidekiq::RetrySet.new.map { |entry| [entry.jid, seconds[entry], entry['error_message']] }
      [retries.sort_by { |_, wait, _| wait }, Sidekiq::DeadSet.new.map(&:jid)]
    `;
    const [retries, dead] = (await run(found)) as [[string, number, string][], string[]];
    const message = 'fetch failed; caused by RangeError: no route';
    expect(retries).toEqual([
      [byDefault, expect.any(Number), message],
      [later, expect.any(Number), message],
    ]);
    expect(retries[0]?.[1]).toBeLessThan(60);
    expect(retries[1]?.[1]).toBeGreaterThan(3_500);
    expect(dead).toEqual([killed]);
  });

  test('S1 S5: a job whose last word hangs survives kill -9, and a stop puts it back as it was', async () => {
    const admin = redis.connect();
    const pushed = '{"class":"Options::Hanging","args":[1.0],"jid":"hangs","queue":"default","retry":0}';
    await admin.lpush('queue:default', pushed);
    const first = await start();
    await eventually(() => expect(tsq.journal.jids('hangs')).toEqual(['hangs']));
    await first.end('SIGKILL');
    const second = await start('-t', '0.1');
    await eventually(() => expect(tsq.journal.jids('hangs')).toEqual(['hangs', 'hangs']), 30_000);
    expect(await second.end('SIGTERM')).toBe(0);
    expect(await admin.lrange('queue:default', 0, -1)).toEqual([pushed]);
    expect(await admin.exists('retry', 'dead')).toBe(0);
    expect(tsq.journal.jids('died')).not.toContain('hangs');
  });

  test('a job of Ruby that has expired is dropped, and the log says which; one that has not runs', async () => {
    const push = `
      times = { 'created_at' => Time.now.to_f - 100, 'queue' => 'default', 'class' => 'Options::Request', 'args' => [1] }
      jobs = [60, 3600].map { |seconds| times.merge('jid' => "expires-in-#{seconds}", 'expires_in' => seconds) }
      Sidekiq.redis { |redis| redis.lpush('queue:default', jobs.map { |job| Sidekiq.dump_json(job) }) }
    `;
    await run(push);
    const worker = await start();
    await eventually(() => expect(tsq.journal.jids('request')).toContain('expires-in-3600'));
    await eventually(() => expect(worker.log).toContain('expired: dropped without being run'));
    const line = worker.log.split('\n').find((text) => text.includes('expired: dropped')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({
      jid: 'expires-in-60',
      class: 'Options::Request',
      level: 'warn',
    });
    expect(tsq.journal.jids('request')).not.toContain('expires-in-60');
    const left = 'Sidekiq::Stats.new.then { |all| [all.enqueued, all.retry_size, all.dead_size] }';
    expect(await run(left)).toEqual([0, 0, 0]);
  });

  test('what the producer knew is at hand in the job; big integers are text where that is set', async () => {
    await start('--big-integers', 'string');
    const push = `
      Sidekiq::Client.push('class' => 'Options::Request', 'args' => [2**70], 'locale' => 'de', 'tags' => ['a'],
                           'cattr' => { 'user_id' => 5 })
    `;
    const jid = await run(push);
    await eventually(() => expect(tsq.journal.jids('request')).toContain(jid));
    const text = tsq.journal.lines('request').find((line) => line.jid === jid)?.text ?? '';
    expect(JSON.parse(text)).toEqual([String(2n ** 70n), 'de', ['a'], { user_id: 5 }]);
  });

  test('Ruby takes and retries a job with all options of tsq, and carries them', async () => {
    const admin = redis.connect();
    const client = new Client({ url: redis.url });
    const options = { retryFor: 600, expiresIn: 600, logLevel: 'debug', tags: ['a'], backtrace: 2 } as const;
    await client.with({ ...options, queue: 'ruby' }).enqueue('Carrying', [1]);
    await client.close();
    const source = `
class Carrying
  include Sidekiq::Worker
  def perform(*) = raise('no')
end
`;
    const server = await ruby.server({ redisUrl: redis.url, source, queues: ['ruby'], concurrency: 1 });
    const entry = await eventually(async () => {
      const [text = ''] = await admin.zrange('retry', '0', '-1');
      return JSON.parse(text);
    });
    await server.stop();
    expect(entry).toMatchObject({
      retry_for: 600,
      expires_in: 600,
      log_level: 'debug',
      tags: ['a'],
      backtrace: 2,
    });
    expect(entry.expiry).toBeCloseTo(entry.created_at + 600, 2);
    expect(entry).toMatchObject({ error_message: 'no', retry_count: 0 });
  });
});
