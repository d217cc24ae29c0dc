/** Ruby's real server and `tsq-worker --only-known` on one queue: a class moves to TypeScript, the others stay. */
import { expect, test } from '@jest/globals';
import { describeWithRuby, eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

/** Both classes are there in Ruby: while one moves, whoever is first runs it. */
const rubyWorkers = `
module Interop
  class Noting
    include Sidekiq::Worker
    def perform(*)
      Sidekiq.redis { |redis| redis.rpush('ran', JSON.generate([self.class.name, jid])) }
    end
  end
  class Echo < Noting; end
  class RubyOnly < Noting; end
end
`;

/** Pushes one after the other, as a fleet does; every third is of the class that moves. The jids, in order, by class. */
const push = `
jids = { 'Interop::Echo' => [], 'Interop::RubyOnly' => [] }
args.fetch(0).times do |n|
  name = n % 3 == 1 ? 'Interop::Echo' : 'Interop::RubyOnly'
  jids[name] << Sidekiq::Client.push('class' => name, 'args' => [n])
end
jids
`;

describeWithRuby('tsq-worker --only-known beside Ruby', (ruby) => {
  const redis = useRedis();
  const tsq = useTsqWorkers();

  test('each runs its own, every job once, and those of Ruby keep their order', async () => {
    const pushed = { moved: [] as string[], ruby: [] as string[] };
    const pushJobs = async (count: number) => {
      const jids = (await ruby.run(push, { redisUrl: redis.url, args: [count] })) as Record<string, string[]>;
      pushed.moved.push(...(jids['Interop::Echo'] ?? []));
      pushed.ruby.push(...(jids['Interop::RubyOnly'] ?? []));
    };
    const admin = redis.connect();
    await pushJobs(90);
    const worker = await tsq.start(redis.url, '-q', 'default', '--only-known');
    await eventually(() => expect(tsq.journal.jids('echo').toSorted()).toEqual(pushed.moved.toSorted()));
    const left = (await admin.lrange('queue:default', 0, -1)).map((text) => JSON.parse(text).jid as string);
    expect(left.toReversed()).toEqual(pushed.ruby);

    await ruby.server({ redisUrl: redis.url, source: rubyWorkers, concurrency: 1 });
    await pushJobs(300);
    const ran = async () =>
      (await admin.lrange('ran', 0, -1)).map((text) => JSON.parse(text) as [name: string, jid: string]);
    const of = (lines: readonly [string, string][], name: string) =>
      lines.filter(([ranName]) => ranName === name).map(([, jid]) => jid);
    await eventually(async () => {
      const inRuby = await ran();
      expect(of(inRuby, 'Interop::RubyOnly')).toEqual(pushed.ruby);
      const moved = [...of(inRuby, 'Interop::Echo'), ...tsq.journal.jids('echo')];
      expect(moved.toSorted()).toEqual(pushed.moved.toSorted());
    }, 30_000);
    expect(await worker.end('SIGTERM')).toBe(0);
    expect([
      await admin.zcard('retry'),
      await admin.zcard('dead'),
      await admin.llen('queue:default'),
    ]).toEqual([0, 0, 0]);
    expect(await admin.keys('tsq:*')).toEqual([]);
  }, 90_000);
});
