/**
 * Ruby processes whose host's clock is an hour off, beside tsq: nothing that tsq decides changes (its own wrong clocks are row 18
 * of the chaos suite). What a wrong clock does change is what Ruby itself writes down: when a job is due.
 */
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { describeWithRuby, eventually, faketime, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const found = faketime();
const missing = 'missing' in found ? found.missing : undefined;
/** With CI=true what is missing fails. */
const testWithClocks = missing === undefined || process.env.CI === 'true' ? test : test.skip;
const clock = (offset: string) => {
  if ('missing' in found) throw new Error(found.missing);
  return found.clock(offset);
};

describeWithRuby('beside Ruby processes with a wrong clock', (ruby) => {
  const redis = useRedis();
  const tsq = useTsqWorkers();
  const source = 'class Elsewhere; include Sidekiq::Worker; def perform; end; end';

  // Before there are Ruby workers, which promote too: by their own clock.
  testWithClocks(
    'S6: what a Ruby producer schedules is due by the clock of its host, and promoted by that of Redis',
    async () => {
      const schedule = (seconds: number, offset: string) =>
        ruby.run(
          `Sidekiq::Client.push('class' => 'Interop::Echo', 'args' => [], 'at' => Time.now.to_f + args[0])`,
          { redisUrl: redis.url, args: [seconds], env: clock(offset) },
        );
      const late = await schedule(1, '+1h');
      const early = await schedule(1_800, '-1h');
      const admin = redis.connect();
      const scheduled = async () =>
        (await admin.zrange('schedule', '0', '-1')).map((text) => JSON.parse(text).jid as string);
      expect(await scheduled()).toEqual([early, late]);
      await tsq.start(redis.url);
      await eventually(() => expect(tsq.journal.jids('echo')).toEqual([early]), 20_000);
      expect(await scheduled()).toEqual([late]);
    },
    90_000,
  );

  testWithClocks(
    'S6: Ruby workers an hour ahead and an hour behind have no say in who is dead, nor in what is put back',
    async () => {
      for (const offset of ['+1h', '-1h'])
        await ruby.server({ redisUrl: redis.url, queues: ['elsewhere'], source, env: clock(offset) });
      const killed = await tsq.start(redis.url, '-c', '1');
      const client = new Client({ url: redis.url });
      const jid = (await client.enqueue('Interop::Heeding', [600_000])) ?? '';
      await client.close();
      const startsBy = (pid: number) =>
        tsq.journal.lines('start').filter((line) => line.jid === jid && line.pid === pid).length;
      await eventually(() => expect(startsBy(killed.pid)).toBe(1), 20_000);
      const survivor = await tsq.start(redis.url, '-c', '1');
      await killed.end('SIGKILL');
      await eventually(() => expect(startsBy(survivor.pid)).toBe(1), 20_000);
      expect(survivor.log.match(/an instance is dead/g)).toHaveLength(1);
      expect(survivor.log).not.toContain('goes on under a new id');
      expect(await redis.connect().scard('processes')).toBeGreaterThanOrEqual(3); // Ruby lives, for Ruby too
    },
    90_000,
  );
});
