/**
 * One namespace, two fleets: Ruby Sidekiq with the tracker gem, and tsq. Each puts back what the other's dead held, once, and
 * nothing of the living. TSQ_TEST_GEM_PATH=/path/to/sidekiq-assured-jobs/lib runs it with the gem itself.
 */
import { afterEach, expect, test } from '@jest/globals';
import { Client, ProcessSet } from '@tsq/core';
import { describeWithRuby, eventually, type RubyServer, trackerGem, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const quick = { intervalSeconds: 1, ttlSeconds: 3 };

describeWithRuby('a fleet that runs the tracker gem, in the namespace of ours', (ruby) => {
  const redis = useRedis();
  const tsq = useTsqWorkers();

  /** The class of our own workers, which notes what it does in the same journal. */
  const worker = () => `
    module Interop
      class Sleeping
        include Sidekiq::Worker
        sidekiq_options assured_jobs: true
        def note(event)
          line = JSON.generate(event: event, jid: jid, pid: Process.pid, text: '')
          File.open('${tsq.journal.path}', 'a') { |file| file.syswrite("#{line}\\n") }
        end
        def perform(milliseconds)
          note('start')
          sleep milliseconds / 1000.0
          note('end')
        end
      end
    end
  `;

  const servers: RubyServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.signal('SIGKILL');
      await server.gone();
    }
  });

  async function gemServer(
    namespace: string,
    instanceId: string,
    { queue = 'default', timeoutSeconds = 5 } = {},
  ): Promise<RubyServer> {
    const server = await ruby.server({
      redisUrl: redis.url,
      queues: [queue],
      concurrency: 2,
      timeoutSeconds,
      source: `${trackerGem({ ...quick, namespace, instanceId })}${worker()}`,
    });
    servers.push(server);
    return server;
  }
  const tsqWorker = (namespace: string, ...flags: string[]) => {
    const eager = ['--recovery-gem-scan-interval', '0.5', '--recovery-gem-grace', '1'];
    return tsq.start(redis.url, '-c', '2', '--namespace', namespace, ...eager, ...flags);
  };

  async function enqueue(queue: string, ...durationsMs: number[]): Promise<readonly string[]> {
    const client = new Client({ url: redis.url });
    const jids = await client.with({ queue }).enqueueBulk(
      'Interop::Sleeping',
      durationsMs.map((duration) => [duration] as const),
    );
    await client.close();
    return jids.map((jid) => jid ?? '');
  }

  const runsOf = (jid: string) => ({
    starts: tsq.journal
      .lines('start')
      .filter((line) => line.jid === jid)
      .map(({ pid }) => pid),
    ends: tsq.journal
      .lines('end')
      .filter((line) => line.jid === jid)
      .map(({ pid }) => pid),
  });
  const started = (jids: readonly string[], pid: number | undefined) =>
    eventually(() => {
      for (const jid of jids) expect(runsOf(jid).starts).toContain(pid);
    }, 30_000);
  const ended = (jids: readonly string[]) =>
    eventually(() => {
      for (const jid of jids) expect(runsOf(jid).ends).toHaveLength(1);
    }, 40_000);

  /** A killed process shows on the Busy page, and its jobs count as running, for up to 60 s: here for no longer. */
  async function forgetOnBusyPage(server: RubyServer): Promise<void> {
    const admin = redis.connect();
    for await (const { identity, pid } of new ProcessSet(admin)) {
      if (pid === server.pid) await admin.del(identity, `${identity}:workers`, `${identity}:work`);
    }
  }

  test.each([
    ['sidekiq_assured_jobs', 'host:1'],
    ['sidekiq_processing', 'a1b2c3d4e5f60718'],
  ])(
    'S3 S4 S5: in %s tsq puts back what a killed process of the gem held, once, and nothing of a living one',
    async (namespace, id) => {
      const admin = redis.connect();
      const killed = await gemServer(namespace, id);
      const living = await gemServer(namespace, 'other:1', { queue: 'theirs' }); // the gem takes both ids for "1"
      const [theirs = ''] = await enqueue('theirs', 14_000);
      await started([theirs], living.pid);
      const jids = await enqueue('default', 2_500, 2_500);
      await started(jids, killed.pid);
      killed.signal('SIGKILL');
      await killed.gone();
      await forgetOnBusyPage(killed);
      const ours = await tsqWorker(namespace);
      await started(jids, ours.pid);
      await ended([...jids, theirs]);
      for (const jid of jids)
        expect(runsOf(jid)).toEqual({ starts: [killed.pid, ours.pid], ends: [ours.pid] });
      expect(runsOf(theirs)).toEqual({ starts: [living.pid], ends: [living.pid] });
      await Promise.all([ours.end('SIGTERM'), living.stop()]);
      const left = await admin.keys(`${namespace}:*`);
      expect(left).toEqual([]);
    },
    120_000,
  );

  test('S4: a job that runs on while its process of the gem stops is not taken for an orphan, though its heartbeat is gone', async () => {
    const admin = redis.connect();
    const namespace = 'sidekiq_assured_jobs';
    const stopping = await gemServer(namespace, 'stopping', { timeoutSeconds: 25 });
    const jids = await enqueue('default', 20_000);
    await started(jids, stopping.pid);
    const shown = async () => (await admin.keys('*:workers')).length + (await admin.keys('*:work')).length;
    await eventually(async () => expect(await shown()).toBeGreaterThan(0), 20_000); // it beats each 5 s
    const ours = await tsqWorker(namespace);
    const stopped = stopping.stop();
    await eventually(
      async () => expect(await admin.exists(`${namespace}:instance:stopping`)).toBe(0),
      20_000,
    );
    await stopped;
    expect(jids.map(runsOf)).toEqual([{ starts: [stopping.pid], ends: [stopping.pid] }]);
    await ours.end('SIGTERM');
  }, 120_000);

  test('S3 S4: the gem puts back what a killed process of tsq held, once, and nothing of a living one', async () => {
    const admin = redis.connect();
    const namespace = 'sidekiq_assured_jobs';
    const killed = await tsqWorker(namespace);
    const blind = [
      '--recovery-watch-interval',
      '0',
      '--recovery-interval',
      '3600',
      '--recovery-start-delay',
      '3600',
    ];
    const living = await tsqWorker(namespace, '-q', 'theirs', ...blind);
    const [theirs = ''] = await enqueue('theirs', 16_000);
    await started([theirs], living.pid);
    const jids = await enqueue('default', 2_500, 2_500);
    await started(jids, killed.pid);
    await killed.end('SIGKILL');
    const gem = await gemServer(namespace, 'gem');
    await started(jids, gem.pid);
    await ended([...jids, theirs]);
    for (const jid of jids) expect(runsOf(jid)).toEqual({ starts: [killed.pid, gem.pid], ends: [gem.pid] });
    expect(runsOf(theirs)).toEqual({ starts: [living.pid], ends: [living.pid] });
    await gem.stop();
    // What it leaves in our registry the next one of ours takes away.
    const next = await tsqWorker(namespace);
    await eventually(async () => expect(await admin.scard(`${namespace}:instances`)).toBe(2));
    await Promise.all([next.end('SIGTERM'), living.end('SIGTERM')]);
    expect(await admin.keys(`${namespace}:*`)).toEqual([]);
  }, 120_000);
});
