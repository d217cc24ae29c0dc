/** The list of a fleet, of real processes: those of a drill. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { eventually, freePort, useRedis } from '@tsq/core/test-support';
import { exitCodes } from '../exit-codes.js';
import { keyAudit } from '../test-support/key-audit.js';
import { useTsq } from '../test-support/tsq.js';

describe('tsq instances', () => {
  const redis = useRedis();
  const start = useTsq();

  async function list(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    folder = tmpdir(),
  ) {
    const command = start(['instances', ...args], {
      environment: { REDIS_URL: redis.url, ...environment },
      folder,
    });
    expect([await command.exitCode, command.stderr]).toEqual([exitCodes.done, '']);
    return command.stdout;
  }

  test('shows who lives, what they hold, and what was put back of one that was killed', async () => {
    const long = ['--jobs', '6', '--concurrency', '3', '--job-seconds', '600', '--heartbeat-ttl', '3'];
    const drill = start(['drill', ...long], { environment: { REDIS_URL: redis.url } });
    const [name] = await drill.says(/tsq-drill-[0-9a-f]{16}/);
    await drill.says(/two workers are up/);
    const both = JSON.parse(await list(['--namespace', name, '--json']));
    expect(both).toMatchObject({
      namespace: name,
      instances: [
        { id: expect.stringContaining(`${name}-1-`), liveness: 'alive', rule: null },
        { id: expect.stringContaining(`${name}-2-`), liveness: 'alive', rule: null },
      ],
    });
    await drill.says(/its jobs are back/);
    await eventually(async () => {
      const text = await list([], { TSQ_NAMESPACE: name });
      expect(text).toMatch(
        /^INSTANCE +STATE +LAST BEAT +JOBS +CONNECTIONS\ntsq-drill-\S+ +alive +[\d.]+ s ago +3 +\d+\n\n/,
      );
      expect(text).toMatch(
        /Looked for dead instances [\d.]+ s ago[\s\S]*newest first:\n.*Z {3}tsq-drill-\S+ {3}3 jobs put back/,
      );
    }, 20_000);
    drill.child.kill('SIGINT');
    expect(await drill.exitCode).toBe(exitCodes.interrupted);
  }, 120_000);

  test('of a namespace where nobody is it says so, and it writes nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsq-cli-'));
    writeFileSync(join(folder, 'tsq.yml'), 'namespace: of-the-file\n');
    expect(await list([], {}, folder)).toBe(
      'No instance is registered in the namespace of-the-file: no worker runs, or it runs on another Redis.\n\n' +
        'Nobody has looked for dead instances of late: no worker recovers anything.\nNothing was recovered within 72 hours.\n',
    );
    expect(JSON.parse(await list(['--json']))).toMatchObject({
      namespace: 'tsq',
      instances: [],
      lastPass: null,
    });
    expect(await keyAudit(redis.connect())).toEqual(new Map());
    rmSync(folder, { recursive: true });
  });

  test('a Redis that is away is one sentence, and exit code 4', async () => {
    const command = start(['instances', '--redis', `redis://127.0.0.1:${await freePort()}/0`]);
    expect(await command.exitCode).toBe(exitCodes.redis);
    expect(command.stderr).toMatch(/^tsq: Redis is not available: .*\(TSQ_REDIS_UNAVAILABLE\)\n$/);
  }, 60_000);
});
