/** Which jobs survive kill -9: each way to say so, by Ruby's real client or by the process that runs them. */
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { describeWithRuby, eventually, useRedis } from '@tsq/core/test-support';
import { Recovery } from '@tsq/recovery';
import { useTsqWorkers } from './tsq-worker.js';

const preciousJobs = fileURLToPath(new URL('./precious-jobs.js', import.meta.url));

/** The class says nothing in TypeScript; only in Ruby has one of its names an option. */
const pushed = `
  module Interop
    class Untracked; include Sidekiq::Worker; end
  end
  class Chosen; include Sidekiq::Worker; sidekiq_options tracked: true; end
  long = 60_000
  push = ->(more) { Sidekiq::Client.push({ 'class' => 'Interop::Untracked', 'args' => [long] }.merge(more)) }
  {
    by_class_of_ruby: push.(Chosen.get_sidekiq_options),
    by_set: Interop::Untracked.set('tracked' => true).perform_async(long),
    by_option_of_the_gem: push.('assured_jobs' => true),
    by_option_of_the_older_gem: push.('processing' => true),
    by_queue: push.('queue' => 'payments'),
    by_predicate: push.('args' => [long, 'precious']),
    not_by_queue_as_the_job_says_no: push.('queue' => 'payments', 'tracked' => false),
    not_by_predicate_as_the_job_says_no: push.('args' => [long, 'precious'], 'tracked' => false),
    not_at_all: push.({}),
  }
`;

describeWithRuby('selective tracking', (ruby) => {
  const redis = useRedis();
  const tsq = useTsqWorkers();
  const started = (pid: number) =>
    tsq.journal.lines('start').flatMap((line) => (line.pid === pid ? [line.jid] : []));

  test('those that the job, its class in Ruby, a queue or a predicate names run again, the others do not', async () => {
    const start = () =>
      tsq.start(
        redis.url,
        ...['-q', 'default', '-q', 'payments', '--tracked-queue', 'payments', '-r', preciousJobs],
      );
    const victim = await start();
    const jids = new Map(
      Object.entries((await ruby.run(pushed, { redisUrl: redis.url })) as Record<string, string>),
    );
    await eventually(() => expect(started(victim.pid).toSorted()).toEqual([...jids.values()].toSorted()));
    const tracked = [...jids].flatMap(([name, jid]) => (name.startsWith('by_') ? [jid] : []));
    const recovery = new Recovery(redis.connect());
    // The releases travel with the next batch.
    await eventually(async () =>
      expect((await recovery.inspect()).instances).toMatchObject([{ jobs: tracked.length }]),
    );
    await victim.end('SIGKILL');
    const heir = await start();
    await eventually(() => expect(started(heir.pid).toSorted()).toEqual(tracked.toSorted()));
    // One step puts all back that the dead one held: with these the others would have come.
    expect(tracked).toHaveLength(6);
  }, 60_000);
});
