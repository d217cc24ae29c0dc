import { expect, test } from '@jest/globals';
import { useRedis } from '@tsq/core/test-support';
import { openFetcher } from './test-support/open-fetcher.js';

const redis = useRedis();

test('after a big job a claim asks for as few as Redis moves at once, and for more when they are small again', async () => {
  await using it = await openFetcher(redis);
  const admin = redis.connect();
  const big = Buffer.alloc(3 * 2 ** 20, 'b');
  await admin.lpush('queue:q', big, big, big, ...Array.from({ length: 40 }, (_, n) => `small ${n}`));
  const claimed: number[] = [];
  while ((await admin.llen('queue:q')) > 0) claimed.push((await it.fetcher.fetch(['q'], 2)).length);
  expect(claimed.slice(0, 4)).toEqual([2, 1, 1, 2]);
});
