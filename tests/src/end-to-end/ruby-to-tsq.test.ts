/** Ruby's real client pushes, tsq works. */
import { describe, expect, test } from '@jest/globals';
import { describeWithRuby, eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

/** Ruby source of args that JSON and JavaScript treat differently, or that are easily broken. */
const oddArgs = [
  '[]',
  '[nil, true, false, 0, -1, ""]',
  '[1.0, 0.1, 1.5e300, 1.0e-7, -0.0, 100.0]',
  '[9007199254740993, 123456789012345678901234567890, -9223372036854775809]',
  '["é\\u2028<>&/\\"\\\\\\u0001\\u007f", "日本語 😀"]',
  '[{"b" => [], "a" => {}, "10" => 1, "2" => 2, "__proto__" => 3}]',
  '[[[[["deep"]]]]]',
  '["x" * 100_000]',
];

describeWithRuby('jobs that Ruby pushes', (ruby) => {
  const redis = useRedis();
  const tsq = useTsqWorkers();

  describe('with one worker', () => {
    test('plain, bulk and odd ones arrive with the very text of their args', async () => {
      await tsq.start(redis.url, '-q', 'default');
      const pushed = (await ruby.run(
        `
        odd = [${oddArgs.join(', ')}]
        single = odd.map { |args| [Sidekiq::Client.push('class' => 'Interop::Echo', 'args' => args), JSON.generate(args)] }
        bulk = (1..25).map { |n| [n, "bulk"] }
        jids = Sidekiq::Client.push_bulk('class' => 'Interop::Echo', 'args' => bulk)
        single + jids.zip(bulk.map { |args| JSON.generate(args) })
        `,
        { redisUrl: redis.url },
      )) as [jid: string, text: string][];
      expect(pushed).toHaveLength(oddArgs.length + 25);
      await eventually(() =>
        expect(new Set(tsq.journal.jids('raw'))).toEqual(new Set(pushed.map(([jid]) => jid))),
      );
      const textOf = new Map(tsq.journal.lines('raw').map((line) => [line.jid, line.text]));
      for (const [jid, text] of pushed) expect(textOf.get(jid)).toBe(text);
    });

    test('what the handler gets is exact: big integers keep their digits when they are written again', async () => {
      await tsq.start(redis.url, '-q', 'default');
      const [jid, text] = (await ruby.run(
        `args = [123456789012345678901234567890, {"id" => 9007199254740993}, 0.1, "é"]
         [Sidekiq::Client.push('class' => 'Interop::Echo', 'args' => args), JSON.generate(args)]`,
        { redisUrl: redis.url },
      )) as [string, string];
      await eventually(() => expect(tsq.journal.jids('echo')).toContain(jid));
      expect(tsq.journal.lines('echo').find((line) => line.jid === jid)?.text).toBe(text);
    });

    test('perform_in waits in schedule and runs when it is due', async () => {
      await tsq.start(redis.url, '-q', 'low');
      const jid = (await ruby.run(
        `
        module Interop; class Echo; include Sidekiq::Worker; sidekiq_options queue: 'low'; end; end
        Interop::Echo.perform_in(1, 'later')
        `,
        { redisUrl: redis.url },
      )) as string;
      await eventually(() => expect(tsq.journal.jids('echo')).toContain(jid));
      expect(tsq.journal.lines('echo').find((line) => line.jid === jid)?.text).toBe('["later"]');
      expect(await redis.connect().zcard('schedule')).toBe(0);
    });
  });
});
