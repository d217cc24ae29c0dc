import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { keys, type Logger, MetricsQuery, silentLogger, type UnitOfWork } from '@tsq/core';
import {
  describeWithRuby,
  eventually,
  itIsAComponent,
  RecordingLogger,
  TcpProxy,
  type TestRedis,
  useRedis,
} from '@tsq/core/test-support';
import { Redis } from 'ioredis';
import { JobMetrics } from './job-metrics.js';
import { JobStats } from './job-stats.js';
import { newProcessIdentity, type ProcessInfo } from './process-info.js';
import { ProcessRegistry, type ProcessRegistryOptions } from './process-registry.js';
import { QueueOrder } from './queue-order.js';
import { RunningJobs } from './running-jobs.js';
import { endedJob } from './test-support/ended-job.js';

const payload = '{"class":"Slow","args":[1.0,12345678901234567890],"jid":"0123456789abcdef01234567"}';

/** Makes registries on a Redis, and stops them after each test. */
function useRegistries(redis: TestRedis) {
  const registries: ProcessRegistry[] = [];
  afterEach(async () => {
    for (const registry of registries.splice(0)) await registry.stop(AbortSignal.abort());
  });
  return (options: Partial<ProcessRegistryOptions> = {}) => {
    const info = infoOf();
    const parts = { running: new RunningJobs(), stats: new JobStats(), signals: [] as string[] };
    const onSignal = (signal: string) => void parts.signals.push(signal);
    const defaults = { redis: redis.connect(), info, onSignal, beatIntervalMs: 20, ...parts };
    const registry = new ProcessRegistry({ ...defaults, ...options });
    registries.push(registry);
    return { registry, info: options.info ?? info, ...parts };
  };
}

function infoOf(): ProcessInfo {
  const mails = new QueueOrder([{ name: 'mails', weight: 1 }]);
  const main = new QueueOrder([
    { name: 'default', weight: 2 },
    { name: 'low', weight: 1 },
  ]);
  return {
    identity: newProcessIdentity('host', 4_711),
    hostname: 'host',
    pid: 4_711,
    startedAtMs: 1_795_466_808_872,
    tag: 'shop',
    labels: ['reliable'],
    version: '0.1.0-tsq',
    capsules: [
      { name: 'default', concurrency: 3, order: main },
      { name: 'mails', concurrency: 4, order: mails },
    ],
  };
}

function runningJob(slot: string, bytes = Buffer.from(payload)) {
  const settle = () => Promise.resolve('settled' as const);
  const unit: UnitOfWork = { queue: 'low', bytes, whenLost: undefined, settle, release: () => undefined };
  const recorded = { displayClass: 'C', beganAtMs: 0 };
  const abort = () => undefined;
  return { slot, unit, jid: 'j', class: 'C', startedAtMs: 1_795_466_809_999, abort, ...recorded };
}

const passed = (stats: JobStats, count: number) => {
  for (let counted = 0; counted < count; counted += 1) stats.count('passed');
};

describe('newProcessIdentity', () => {
  test('is host, pid and twelve hex characters of its own', () => {
    expect(newProcessIdentity('vm', 7)).toMatch(/^vm:7:[0-9a-f]{12}$/);
    expect(newProcessIdentity('vm', 7)).not.toBe(newProcessIdentity('vm', 7));
  });
});

describe('ProcessRegistry', () => {
  const redis = useRedis();
  const make = useRegistries(redis);

  describe('as a component', () => {
    let connection: Redis;
    beforeEach(async () => {
      connection = redis.connect();
      await connection.ping();
    });
    itIsAComponent(() => {
      const parts = { running: new RunningJobs(), stats: new JobStats(), onSignal: () => undefined };
      return new ProcessRegistry({ redis: connection, info: infoOf(), ...parts });
    });
  });

  test('once started, the process is listed, and gone from Redis a minute after its last beat', async () => {
    const connection = redis.connect();
    const { registry, info } = make();
    await registry.start();
    expect(await connection.smembers(keys.processes)).toEqual([info.identity]);
    const ttl = await connection.ttl(keys.process(info.identity));
    expect(ttl).toBeGreaterThan(50);
    expect(ttl).toBeLessThanOrEqual(60);
  });

  test('its hash says what every reader from 6.0 to 8.1 looks for', async () => {
    const { registry, info, running } = make();
    running.begin(runningJob('a'));
    await registry.start();
    const hash = await redis.connect().hgetall(keys.process(info.identity));
    expect(JSON.parse(hash.info ?? '')).toEqual({
      hostname: 'host',
      started_at: 1_795_466_808.872,
      pid: 4_711,
      tag: 'shop',
      concurrency: 7,
      capsules: {
        default: { concurrency: 3, mode: 'weighted', weights: { default: 2, low: 1 } },
        mails: { concurrency: 4, mode: 'random', weights: { mails: 1 } },
      },
      queues: ['default', 'low', 'mails'],
      weights: [{ default: 2, low: 1 }, { mails: 1 }],
      labels: ['reliable'],
      identity: info.identity,
      version: '0.1.0-tsq',
      embedded: false,
    });
    expect(hash).toMatchObject({ concurrency: '7', busy: '1', quiet: 'false' });
    expect(hash.beat).toMatch(/^\d{10}\.\d+$/);
    expect(Number(hash.rss)).toBeGreaterThan(10_000);
    expect(Number(hash.rtt_us)).toBeGreaterThan(0);
  });

  test('what runs is shown under both keys, and no more when it has ended', async () => {
    const connection = redis.connect();
    const { registry, info, running } = make();
    const job = runningJob('a');
    running.begin(job);
    await registry.start();
    const entry = `{"queue":"low","payload":${JSON.stringify(payload)},"run_at":1795466809}`;
    for (const key of [keys.work(info.identity), keys.workers(info.identity)]) {
      expect(await connection.hgetall(key)).toEqual({ a: entry });
      expect(await connection.ttl(key)).toBeGreaterThan(50);
    }
    running.end(job);
    await eventually(async () => expect(await connection.exists(keys.work(info.identity))).toBe(0));
    expect(await connection.exists(keys.workers(info.identity))).toBe(0);
  });

  test('a fleet without old readers is spared the second key', async () => {
    const { registry, info, running } = make({ showToOldReaders: false });
    running.begin(runningJob('a'));
    await registry.start();
    expect(await redis.connect().exists(keys.workers(info.identity))).toBe(0);
    expect(await redis.connect().exists(keys.work(info.identity))).toBe(1);
  });

  test('bytes that are no text do not hide the other jobs', async () => {
    const { registry, info, running } = make();
    running.begin(runningJob('odd', Buffer.from([0xff, 0x22, 0x00])));
    running.begin(runningJob('fine'));
    await registry.start();
    const work = await redis.connect().hgetall(keys.work(info.identity));
    expect(JSON.parse(work.odd ?? '').payload).toBe('\ufffd"\0');
    expect(JSON.parse(work.fine ?? '').payload).toBe(payload);
  });

  test('quiet shows at once, and the process goes on beating', async () => {
    const connection = redis.connect();
    const { registry, info } = make({ beatIntervalMs: 3_600_000 });
    await registry.start();
    await registry.quiet();
    expect(await connection.hget(keys.process(info.identity), 'quiet')).toBe('true');
    expect(await connection.sismember(keys.processes, info.identity)).toBe(1);
  });

  test('signals are obeyed one by one, and only those that are known', async () => {
    const connection = redis.connect();
    const warnings: object[] = [];
    const logger: Logger = { ...silentLogger, warn: (fields) => void warnings.push(fields) };
    const { registry, info, signals } = make({ logger });
    await connection.lpush(keys.signals(info.identity), 'TSTP', 'KILL', 'TERM');
    await registry.start();
    await eventually(() => expect(signals).toEqual(['TSTP', 'TERM']));
    expect(warnings).toEqual([{ signal: 'KILL' }]);
  });

  test('what was counted is added to the totals and to the day', async () => {
    const connection = redis.connect();
    await connection.set(keys.processed, '100');
    const { registry, stats } = make();
    passed(stats, 4);
    stats.count('failed');
    await registry.start();
    expect(await connection.mget(keys.processed, keys.failed)).toEqual(['105', '1']);
    const [day] = await connection.keys('stat:processed:*');
    expect(day).toMatch(/^stat:processed:\d{4}-\d\d-\d\d$/);
    expect(await connection.get(day ?? '')).toBe('5');
    expect(await connection.ttl(day ?? '')).toBeGreaterThan(157_000_000);
    passed(stats, 1);
    await eventually(async () => expect(await connection.get(keys.processed)).toBe('106'));
    expect(await connection.get(keys.failed)).toBe('1');
  });

  test('an idle process writes no statistics', async () => {
    const { registry } = make();
    await registry.start();
    expect(await redis.connect().keys('stat:*')).toEqual([]);
  });

  test('counts that a full Redis refuses are written when it has room again', async () => {
    const connection = redis.connect();
    const lines: string[] = [];
    const note = (_fields: object, message: string) => void lines.push(message);
    const { registry, stats } = make({ logger: { ...silentLogger, error: note } });
    await registry.start();
    await connection.config('SET', 'maxmemory', '1');
    passed(stats, 3);
    await eventually(() =>
      expect(lines).toContain("Can't add to the statistics; trying again until it works"),
    );
    await connection.config('SET', 'maxmemory', '0');
    await eventually(async () => expect(await connection.get(keys.processed)).toBe('3'));
    // Two lines: one for the statistics, one for the process, however many beats were refused.
    expect(lines.length).toBeLessThanOrEqual(2);
  });

  test('when one of the statistics is of another type, the others are added once, and its counts are kept', async () => {
    const connection = redis.connect();
    const lines: string[] = [];
    const note = (_fields: object, message: string) => void lines.push(message);
    const { registry, info, stats } = make({ logger: { ...silentLogger, error: note } });
    await registry.start();
    await connection.hset(keys.failed, 'a', 'hash');
    passed(stats, 2);
    stats.count('failed');
    const lastBeat = () => connection.hget(keys.process(info.identity), 'beat');
    const before = await lastBeat();
    await eventually(() => expect(lines).toHaveLength(1));
    await eventually(async () => expect(await lastBeat()).not.toBe(before)); // it is shown all the same
    await connection.del(keys.failed);
    await eventually(async () => expect(await connection.get(keys.failed)).toBe('1'));
    expect(await connection.mget(keys.processed, keys.failed)).toEqual(['3', '1']);
  });

  test('a start without Redis fails nobody, and the process is shown when Redis is there', async () => {
    const away = redis.connect();
    await away.ping();
    away.disconnect();
    const { registry, info } = make({ redis: away });
    await registry.start();
    const connection = redis.connect();
    expect(await connection.exists(keys.processes)).toBe(0);
    await away.connect();
    await eventually(async () => expect(await connection.smembers(keys.processes)).toEqual([info.identity]));
  });

  test('a full Redis keeps no process from starting, and shows it when it has room again', async () => {
    const connection = redis.connect();
    const { registry, info } = make();
    await connection.config('SET', 'maxmemory', '1');
    try {
      await registry.start();
      expect(await connection.exists(keys.processes)).toBe(0);
    } finally {
      await connection.config('SET', 'maxmemory', '0');
    }
    await eventually(async () => expect(await connection.smembers(keys.processes)).toEqual([info.identity]));
  });

  test('processes that went without a goodbye are taken off the list, by one process a minute', async () => {
    const connection = redis.connect();
    await connection.sadd(keys.processes, 'gone:1:a', 'here:1:b');
    await connection.hset('here:1:b', 'info', '{}');
    const { registry, info } = make();
    await registry.start();
    await eventually(async () => expect(await connection.sismember(keys.processes, 'gone:1:a')).toBe(0));
    expect((await connection.smembers(keys.processes)).toSorted()).toEqual(
      ['here:1:b', info.identity].toSorted(),
    );
    expect(await connection.ttl(keys.processCleanup)).toBeGreaterThan(0);
    await connection.sadd(keys.processes, 'gone:2:c');
    const other = make();
    await other.registry.start();
    await other.registry.stop(AbortSignal.abort());
    expect(await connection.sismember(keys.processes, 'gone:2:c')).toBe(1);
  });

  test('a stop ends although Redis does not answer', async () => {
    const proxy = await TcpProxy.before(redis.port);
    const behind = new Redis(proxy.port, '127.0.0.1');
    const { registry } = make({ redis: behind, beatIntervalMs: 3_600_000 });
    await registry.start();
    proxy.mode = 'hole';
    await registry.stop(AbortSignal.abort());
    behind.disconnect();
    await proxy.close();
  });

  test('the goodbye: last counts, off the list, nothing runs; only the hash is left to expire', async () => {
    const connection = redis.connect();
    const { registry, info, running, stats } = make({ beatIntervalMs: 3_600_000 });
    running.begin(runningJob('a'));
    await registry.start();
    passed(stats, 7);
    await registry.stop(AbortSignal.abort());
    expect(await connection.get(keys.processed)).toBe('7');
    expect(
      await connection.exists(keys.processes, keys.work(info.identity), keys.workers(info.identity)),
    ).toBe(0);
    expect(await connection.ttl(keys.process(info.identity))).toBeGreaterThan(0);
  });
});

describe('ProcessRegistry, with metrics', () => {
  const redis = useRedis();
  const make = useRegistries(redis);
  const counted = (query: MetricsQuery) => query.forClass('A').then(({ processed }) => processed);

  test('each beat writes what was counted, and the goodbye the last of it', async () => {
    const metrics = new JobMetrics();
    const query = new MetricsQuery(redis.connect());
    const { registry } = make({ metrics });
    await registry.start();
    metrics.count(endedJob('A'), 'passed');
    await eventually(async () => expect(await counted(query)).toBe(1));
    const last = make({ metrics, beatIntervalMs: 3_600_000 });
    await registry.stop(AbortSignal.abort());
    await last.registry.start();
    metrics.count(endedJob('A'), 'passed');
    await last.registry.stop(AbortSignal.abort());
    expect(await counted(query)).toBe(2);
  });

  test('a full Redis costs two lines of the log, and no count', async () => {
    const connection = redis.connect();
    const metrics = new JobMetrics();
    const logger = new RecordingLogger();
    const { registry } = make({ metrics, logger, metricsForms: ['sidekiq7'] });
    await registry.start();
    await connection.config('SET', 'maxmemory', '1');
    try {
      metrics.count(endedJob('A'), 'passed');
      const lines = () => logger.matching('error', "Can't add to the metrics");
      await eventually(() => expect(lines()).toHaveLength(1));
    } finally {
      await connection.config('SET', 'maxmemory', '0');
    }
    await eventually(async () => expect(await counted(new MetricsQuery(connection))).toBe(1));
    await eventually(() => expect(logger.matching('info', "Can't add to the metrics")).toHaveLength(1));
    expect(logger.matching('error', "Can't add to the metrics")).toHaveLength(1);
    expect(await connection.keys('h|*')).toEqual([]);
  });
});

describeWithRuby("ProcessRegistry, read by Ruby's Sidekiq", (ruby) => {
  const redis = useRedis();
  const make = useRegistries(redis);
  const run = (script: string) => ruby.run(script, { redisUrl: redis.url });

  test('the process, what it runs and its statistics are there for the API', async () => {
    const { registry, info, running, stats } = make();
    running.begin(runningJob('a'));
    passed(stats, 5);
    stats.count('failed');
    await registry.start();
    const seen = await run(`
      process = Sidekiq::ProcessSet.new.first
      work = Sidekiq::Workers.new.map { |id, thread, work| [id, thread, work['queue'], work['payload'], work['run_at']] }
      {
        process: %w[hostname pid tag concurrency queues labels identity busy].to_h { |key| [key, process[key]] },
        started: Time.at(process['started_at']).utc.year, quiet: process['quiet'], stopping: process.stopping?,
        total: Sidekiq::ProcessSet.new.respond_to?(:total_concurrency) ? Sidekiq::ProcessSet.new.total_concurrency : 7,
        work: work, processed: Sidekiq::Stats.new.processed, failed: Sidekiq::Stats.new.failed,
        history: Sidekiq::Stats::History.new(1).processed.values, workers: Sidekiq::Stats.new.workers_size
      }`);
    expect(seen).toEqual({
      process: {
        hostname: 'host',
        pid: 4_711,
        tag: 'shop',
        concurrency: 7,
        queues: ['default', 'low', 'mails'],
        labels: ['reliable'],
        identity: info.identity,
        busy: 1,
      },
      started: 2026,
      quiet: 'false',
      stopping: false,
      total: 7,
      work: [[info.identity, 'a', 'low', expect.anything(), 1_795_466_809]],
      processed: 6,
      failed: 1,
      history: [6],
      workers: 1,
    });
  });

  test('quiet! and stop! arrive, in this order', async () => {
    const { registry, signals } = make();
    await registry.start();
    await run('process = Sidekiq::ProcessSet.new.first; process.quiet!; process.stop!; nil');
    await eventually(() => expect(signals).toEqual(['TSTP', 'TERM']));
  });

  test('after the goodbye nobody is listed', async () => {
    const { registry } = make();
    await registry.start();
    expect(await run('Sidekiq::ProcessSet.new.size')).toBe(1);
    await registry.stop(AbortSignal.abort());
    expect(await run('[Sidekiq::ProcessSet.new.size, Sidekiq::Workers.new.size]')).toEqual([0, 0]);
  });
});
