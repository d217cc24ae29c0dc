/** The drill as a user runs it, on a Redis with jobs of his own: what it says, how it ends, and what it leaves: nothing. */
import { describe, expect, test } from '@jest/globals';
import { eventually, freePort, SentinelGroup, TestRedis, useRedis } from '@tsq/core/test-support';
import type { Redis } from 'ioredis';
import { exitCodes } from '../exit-codes.js';
import { keyAudit } from '../test-support/key-audit.js';
import { type RunningTsq, useTsq } from '../test-support/tsq.js';

const small = ['--jobs', '12', '--concurrency', '3', '--job-seconds', '0.5', '--heartbeat-ttl', '3'];
const long = ['--jobs', '6', '--concurrency', '3', '--job-seconds', '600', '--heartbeat-ttl', '3'];

/** Jobs that wait, that are due, that died; processes, counts, and somebody else's tracker. */
async function fill(redis: Redis): Promise<void> {
  const job = (jid: string) =>
    JSON.stringify({ class: 'Mine', args: [1], jid, queue: 'default', retry: true });
  await redis.sadd('queues', 'default');
  await redis.lpush('queue:default', job('a'), job('b'));
  await redis.zadd('schedule', 1, job('c'));
  await redis.zadd('retry', 1, job('d'));
  await redis.zadd('dead', 1, job('e'));
  await redis.sadd('paused', 'mine');
  await redis.sadd('processes', 'host:1:0123456789ab');
  await redis.set('stat:processed', '7');
  await redis.sadd('tsq:instances', 'mine');
  await redis.set('tsq-drill-not-a-drill', 'mine');
}

describe('tsq drill', () => {
  const redis = useRedis();
  const start = useTsq();

  const drill = (...args: string[]) => start(['drill', ...args], { environment: { REDIS_URL: redis.url } });
  const nameOf = async (command: RunningTsq) => (await command.says(/tsq-drill-[0-9a-f]{16}/))[0];
  const expectNoWorkers = () => eventually(() => redis.expectNobodyConnected(), 20_000);

  test('shows that a killed process loses nothing, and leaves every key as it was', async () => {
    const admin = redis.connect();
    await fill(admin);
    const before = await keyAudit(admin);
    // What tsq-worker would take for settings, were they not kept from it.
    const others = { TSQ_QUEUES: 'default', TSQ_CONCURRENCY: '0', RAILS_MAX_THREADS: '7', NODE_ENV: 'test' };
    const command = start(['drill', ...small, '--json'], {
      environment: { ...others, REDIS_URL: redis.url },
    });
    expect(await command.exitCode).toBe(exitCodes.done);
    const report = JSON.parse(command.stdout);
    expect(report).toMatchObject({
      ...{ verdict: 'passed', jobs: 12, ended: 12, lost: 0, unfinished: 0, duplicated: 0 },
      ...{ inFlight: 3, held: 3, startedTwice: 3, rule: 'connections', redisWasAway: false, cleanedUp: true },
      settings: { heartbeatTtlSeconds: 3, fastDetection: true },
    });
    expect(report.putBackSeconds).toBeGreaterThan(0);
    expect(report.startedAgainSeconds.last).toBeGreaterThanOrEqual(report.putBackSeconds);
    expect(command.stderr).toMatch(
      /1 {2}start two tsq-worker processes[\s\S]*kill -9 of pid \d+[\s\S]*cleaned up/,
    );
    expect(await keyAudit(admin)).toEqual(before);
    admin.disconnect();
    await expectNoWorkers();
  }, 120_000);

  test('without fast detection the heartbeat tells who is dead', async () => {
    const command = drill(...small, '--no-fast-detection');
    expect(await command.exitCode).toBe(exitCodes.done);
    expect(command.stdout).toMatch(/death seen by +its heartbeat \(TTL 3 s\)\n[\s\S]*Passed/);
    expect(command.stderr).toBe('');
    expect(await keyAudit(redis.connect())).toEqual(new Map());
  }, 120_000);

  test.each([
    ['SIGINT', /two workers are up/, exitCodes.interrupted],
    ['SIGTERM', /kill -9 of/, exitCodes.terminated],
    ['SIGHUP', /Ctrl-C ends it/, exitCodes.hangup],
  ] as const)(
    'ended by %s it leaves neither process nor key',
    async (signal, moment, exitCode) => {
      const admin = redis.connect();
      await fill(admin);
      const before = await keyAudit(admin);
      const command = drill(...long);
      await command.says(moment);
      command.child.kill(signal);
      expect(await command.exitCode).toBe(exitCode);
      expect(command.stdout).toContain('cleaned up');
      expect(await keyAudit(admin)).toEqual(before);
      admin.disconnect();
      await expectNoWorkers();
    },
    120_000,
  );

  test('a reader that goes away does not keep it from cleaning up', async () => {
    const command = drill(...long);
    await command.says(/are enqueued/);
    command.child.stdout?.destroy();
    command.child.kill('SIGINT');
    expect(await command.exitCode).toBe(exitCodes.interrupted);
    expect(await keyAudit(redis.connect())).toEqual(new Map());
  }, 120_000);

  test('of a worker that ends by itself it says so, with its log, and cleans up', async () => {
    const command = drill(...long);
    const [, victim, survivor] = await command.says(/pid (\d+) and pid (\d+)[\s\S]*kill -9 of/).then((up) => {
      const [, one = '', other = ''] = up;
      return command.said.includes(`kill -9 of pid ${one}`) ? ['', one, other] : ['', other, one];
    });
    expect(victim).not.toBe(survivor);
    process.kill(Number(survivor), 'SIGKILL');
    expect(await command.exitCode).toBe(exitCodes.inconclusive);
    expect(command.stderr).toMatch(
      /a tsq-worker ended by itself; its log says[\s\S]*\(TSQ_DRILL_INCONCLUSIVE\)/,
    );
    expect(await keyAudit(redis.connect())).toEqual(new Map());
  }, 120_000);

  test('killed itself, its workers end, and another call cleans up', async () => {
    const command = drill(...long);
    const name = await nameOf(command);
    await command.says(/kill -9 of/);
    command.child.kill('SIGKILL');
    await command.exitCode;
    await expectNoWorkers();
    const admin = redis.connect();
    expect((await keyAudit(admin)).get(`queue:${name}`)).toBeDefined();
    await fill(admin);
    const cleaning = drill('--clean-up', name);
    expect(await cleaning.exitCode).toBe(exitCodes.done);
    expect(cleaning.stdout).toMatch(new RegExp(`^[1-9]\\d* keys and entries of ${name} were taken away\n$`));
    const left = await keyAudit(admin);
    await redis.empty();
    await fill(admin);
    expect(left).toEqual(await keyAudit(admin));
  }, 120_000);

  test('an entry of the drill in retry or dead is taken away too, and no other', async () => {
    const admin = redis.connect();
    await fill(admin);
    const before = await keyAudit(admin);
    const name = 'tsq-drill-0123456789abcdef';
    const payload = JSON.stringify({ class: 'Tsq::DrillJob', args: [0, 1], jid: 'x', queue: name });
    for (const set of ['retry', 'dead', 'schedule']) await admin.zadd(set, 5, payload);
    expect(await drill('--clean-up', name).exitCode).toBe(exitCodes.done);
    expect(await keyAudit(admin)).toEqual(before);
  });

  test('an address where nobody answers is one sentence, and exit code 4', async () => {
    const command = start(['drill', '--redis', `redis://u:secret@127.0.0.1:${await freePort()}/0`]);
    expect(await command.exitCode).toBe(exitCodes.redis);
    expect(command.stderr).toMatch(
      /tsq: .*gave no connection.*Check that the server runs.*\(TSQ_REDIS_UNAVAILABLE\)/,
    );
    expect(command.said).not.toContain('secret');
    expect(command.stdout).toBe('');
  }, 60_000);

  test.each([
    ['a full one', ['maxmemory', '1mb'], /memory is full .* raise maxmemory/],
    ['a replica', ['replicaof', '127.0.0.1 1'], /Redis is a replica, which takes no writes/],
  ])(
    'refuses %s, and says what to do',
    async (_what, setting, message) => {
      const own = new TestRedis();
      await own.start();
      try {
        const admin = own.connect();
        await admin.set('mine', 'x'.repeat(2_000_000)); // more than the 1 MB, by itself
        if (setting[0] === 'replicaof') await admin.replicaof('127.0.0.1', 1);
        else await admin.config('SET', setting[0] ?? '', setting[1] ?? '');
        const command = start(['drill', ...small], { environment: { REDIS_URL: own.url } });
        expect(await command.exitCode).toBe(exitCodes.redis);
        expect(command.stderr).toMatch(message);
        expect(await admin.keys('*')).toEqual(['mine']);
      } finally {
        own.closeConnections();
        await own.stop();
      }
    },
    60_000,
  );
});

describe('tsq drill, of a Redis that sentinels know', () => {
  const start = useTsq();

  test('asks them for the primary, for itself and for its workers', async () => {
    const group = new SentinelGroup();
    await group.start();
    try {
      const environment = { TSQ_SENTINEL_NODES: group.node, TSQ_SENTINEL_MASTER: 'mymaster' };
      const command = start(['drill', ...small], { environment });
      expect(await command.exitCode).toBe(exitCodes.done);
      expect(command.stdout).toContain(`A drill on the primary "mymaster" of the sentinels ${group.node}`);
    } finally {
      await group.stop();
    }
  }, 120_000);
});

describe('tsq drill, when Redis is lost in the middle', () => {
  const start = useTsq();

  /** Up to the moment at which a worker is dead, and its jobs are not back. */
  async function untilKilled(redis: TestRedis): Promise<RunningTsq> {
    const command = start(['drill', ...small, '--job-seconds', '5', '--no-fast-detection'], {
      environment: { REDIS_URL: redis.url },
    });
    await command.says(/kill -9 of/);
    return command;
  }

  test('one that stays away ends it with code 4, and how to clean up later, which then works', async () => {
    const redis = new TestRedis();
    const lasting = ['--appendonly', 'yes', '--appendfsync', 'always'];
    await redis.start(lasting);
    try {
      const command = await untilKilled(redis);
      await redis.kill();
      expect(await command.exitCode).toBe(exitCodes.redis);
      expect(command.stderr).toMatch(
        /could not clean up[\s\S]*no answer for 15 s .*\(TSQ_REDIS_UNAVAILABLE\)/,
      );
      const [, advice = ''] = command.stderr.match(/tsq (drill --clean-up \S+)/) ?? [];
      await redis.start(lasting);
      const admin = redis.connect();
      expect((await keyAudit(admin)).size).toBeGreaterThan(0);
      const cleaning = start(advice.split(' '), { environment: { REDIS_URL: redis.url } });
      expect(await cleaning.exitCode).toBe(exitCodes.done);
      expect(await keyAudit(admin)).toEqual(new Map());
    } finally {
      redis.closeConnections();
      await redis.stop();
    }
  }, 120_000);

  test('one that comes back without its data has lost jobs, and that is said', async () => {
    const redis = new TestRedis();
    await redis.start();
    try {
      const command = await untilKilled(redis);
      await redis.kill();
      await redis.start();
      expect(await command.exitCode).toBe(exitCodes.failed);
      expect(command.stdout).toMatch(/lost +[1-9]\d*\n[\s\S]*Redis did not answer for a while[\s\S]*Failed/);
      expect(await keyAudit(redis.connect())).toEqual(new Map());
    } finally {
      redis.closeConnections();
      await redis.stop();
    }
  }, 120_000);
});
