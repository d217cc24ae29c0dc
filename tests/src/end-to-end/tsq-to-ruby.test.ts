/** tsq's client pushes, Ruby's real server works. */
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { describeWithRuby, eventually, useRedis } from '@tsq/core/test-support';

const rubyWorkers = `
module Interop
  class Echo
    include Sidekiq::Worker
    def perform(*args)
      Sidekiq.redis { |redis| redis.rpush('ran', JSON.generate([jid, JSON.generate(args)])) }
    end
  end
end
`;

describeWithRuby('jobs that tsq pushes', (ruby) => {
  const redis = useRedis();

  test('plain, bulk, scheduled and odd ones run in Ruby with the same args', async () => {
    await ruby.server({ redisUrl: redis.url, source: rubyWorkers, queues: ['default', 'low'] });
    const client = new Client({ url: redis.url });
    try {
      const expected = new Map<string | undefined, string>();
      const odd: [readonly never[] | readonly unknown[], string][] = [
        [[], '[]'],
        [[null, true, 0, -1, ''], '[null,true,0,-1,""]'],
        [[0.1, 1e21, 1e-7], '[0.1,1.0e+21,1.0e-07]'],
        [[123_456_789_012_345_678_901_234_567_890n], '[123456789012345678901234567890]'],
        [['é\u2028<>&/"\\\u0001', '😀'], '["é\u2028<>&/\\"\\\\\\u0001","😀"]'],
        [[{ b: [], a: {} }], '[{"b":[],"a":{}}]'],
      ];
      for (const [args, text] of odd)
        expected.set(await client.enqueue('Interop::Echo', args as never), text);
      const bulk = Array.from({ length: 1_050 }, (_, n) => [n]);
      const jids = await client.with({ queue: 'low' }).enqueueBulk('Interop::Echo', bulk);
      for (const [n, jid] of jids.entries()) expected.set(jid, `[${n}]`);
      expected.set(await client.enqueueIn(0.5, 'Interop::Echo', ['later']), '["later"]');
      const admin = redis.connect();
      await eventually(async () => expect(await admin.llen('ran')).toBe(expected.size), 20_000);
      const ran = (await admin.lrange('ran', 0, -1)).map((line) => JSON.parse(line) as [string, string]);
      expect(new Map(ran)).toEqual(expected);
    } finally {
      await client.close();
    }
  });
});
