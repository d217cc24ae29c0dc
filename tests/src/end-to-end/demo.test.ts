/** What `npm start` does on the Redis of REDIS_URL: it shows what it says, leaves nothing behind, and ends where it can't begin. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { freePort, useRedis } from '@tsq/core/test-support';
import { repository } from '../workspace.js';

const show = join(repository, 'apps/demo/dist/show.js');

async function run(url: string): Promise<{ exitCode: unknown; lines: readonly string[] }> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [show], { env: { ...process.env, REDIS_URL: url } }, (error, stdout) => {
      resolve({ exitCode: error === null ? 0 : error.code, lines: stdout.trim().split('\n') });
    });
  });
}

describe('the demo', () => {
  const redis = useRedis();

  test("loses nothing, and leaves nothing on the Redis but Sidekiq's own statistics", async () => {
    const { exitCode, lines } = await run(redis.url);
    expect(lines.at(-1)).toMatch(/enqueued \d+, done \d+, recovered [1-9]\d*, lost 0$/);
    expect(exitCode).toBe(0);
    const left = await redis.connect().keys('*');
    // The hash of a process that went in good order expires within a minute, as Sidekiq's does.
    const lasting = left.filter(
      (key) => !/^(stat:|process_cleanup$)/.test(key) && !/:\d+:[0-9a-f]{12}$/.test(key),
    );
    expect(lasting).toEqual([]);
    expect(await redis.connect().smembers('processes')).toEqual([]);
  }, 120_000);

  test.each([
    [
      'an address where nobody answers',
      async () => `redis://127.0.0.1:${await freePort()}/0`,
      'Check that the server runs',
    ],
    ['a URL that is none', async () => 'localhost', 'expected a URL with redis://'],
    [
      'a database that is not there',
      async () => redis.url.replace(/0$/, '99'),
      'Check the number at the end',
    ],
  ])(
    'with %s it ends with one line that says what to do',
    async (_case, urlOf, advice) => {
      const { exitCode, lines } = await run(await urlOf());
      expect(lines).toEqual([expect.stringContaining(advice)]);
      expect(exitCode).toBe(1);
    },
    60_000,
  );
});
