/** The readers of each version of Sidekiq are content with what tsq writes, in the dialect that is for them. */
import { describe, expect, test } from '@jest/globals';
import { Client, type Dialect } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { defineWorker } from '@tsq/worker';
import { startRuntime } from '../end-to-end/runtime.js';
import { Capture } from './capture.js';
import { missedBy, type ShownProcess, type Version, versions } from './readers.js';

function processOf(capture: Capture): ShownProcess {
  const names = ['info', 'concurrency', 'busy', 'beat', 'quiet', 'rss', 'rtt_us'];
  const shown = names.filter((name) => capture.has(`process.${name}`));
  return {
    identity: capture.text('process'),
    hash: Object.fromEntries(shown.map((name) => [name, capture.text(`process.${name}`)])),
    work: { [capture.text('work.key')]: capture.text('work') },
  };
}

describe.each(Capture.all())("the readers' needs, held against Sidekiq $version itself", (capture) => {
  const version = capture.version as Version;

  test('its own readers miss nothing', () => {
    expect(missedBy.process(version, processOf(capture))).toEqual([]);
    expect(missedBy.job(version, capture.text('plain'))).toEqual([]);
    expect(missedBy.retry(version, capture.text('retry'))).toEqual([]);
  });
});

describe("the readers' needs, of one version against another", () => {
  const byVersion = new Map(Capture.all().map((capture) => [capture.version, capture]));
  const of = (version: Version) => {
    const capture = byVersion.get(version);
    if (capture === undefined) throw new Error(`no capture of ${version}`);
    return capture;
  };

  test('7.3 fails on a process of 8.1, and 8.1 shows one of 7.3 without threads', () => {
    expect(missedBy.process('7.3', processOf(of('8.1')))).toEqual(['concurrency in info: else /busy fails']);
    expect(missedBy.process('8.1', processOf(of('7.3')))).toContain('the field concurrency: else 0 threads');
  });

  test('7.3 takes the milliseconds of 8.1 for another year, and 8.1 the seconds of 7.3 for seconds', () => {
    expect(missedBy.job('7.3', of('8.1').text('plain'))).toEqual([
      'created_at between 2001 and 2286',
      'enqueued_at between 2001 and 2286',
    ]);
    expect(missedBy.job('8.1', of('7.3').text('plain'))).toEqual([]);
  });

  test('8.1 takes whole seconds for January 1970', () => {
    const whole = of('8.1').text('plain').replaceAll('1795466724529', '1795466724');
    expect(missedBy.job('8.1', whole)).toContain('created_at between 2001 and 2286');
  });
});

describe.each([
  ['seconds', versions],
  ['milliseconds', ['8.0', '8.1']],
] as const)('what tsq writes in %s', (dialect, readers) => {
  const redis = useRedis();

  test.each(readers)(
    'contents the readers of %s: a job, a scheduled one, one in retry, and the process',
    async (version) => {
      const { jobs, retries, process } = await written(dialect);
      expect(jobs.flatMap((text) => missedBy.job(version, text))).toEqual([]);
      expect(retries.flatMap((text) => missedBy.retry(version, text))).toEqual([]);
      expect(missedBy.process(version, process)).toEqual([]);
    },
  );

  /** By a client, and by a runtime with one job that runs, one that failed once and one that failed twice. */
  async function written(dialect: Dialect) {
    const connection = redis.connect();
    await using client = new Client({ url: redis.url, dialect });
    await client.enqueueIn(3_600, 'Later', [1]);
    await client.with({ queue: 'low', tags: ['a'] }).enqueue('Waiting', [1.5, 'x']);
    const jobs = [
      ...(await connection.lrange('queue:low', 0, -1)),
      ...(await connection.zrange('schedule', '0', '-1')),
    ];
    let release = () => {};
    const running = new Promise<void>((resolve) => {
      release = resolve;
    });
    const failing = defineWorker('Failing', { backtrace: 3 }, () => {
      throw new RangeError('no luck');
    });
    const workers = [defineWorker('Running', {}, () => running), failing];
    await using runtime = await startRuntime(redis.url, workers, { dialect });
    await client.enqueue('Running');
    await client.enqueue('Failing');
    await client.with({ jid: 'twice' }).enqueue('Failing');
    await eventually(async () => expect(await connection.zcard('retry')).toBe(2), 30_000);
    await retryNow('twice');
    await runtime.poller.poll();
    const retries = await eventually(async () => {
      const entries = await connection.zrange('retry', '0', '-1');
      expect(entries.filter((text) => text.includes('"retry_count":1'))).toHaveLength(1);
      return entries;
    }, 30_000);
    const process = await eventually(async () => {
      const shown = await shownProcess();
      expect(shown.work.work).toContain('Running');
      return shown;
    }, 30_000);
    release();
    return { jobs, retries, process };
  }

  async function retryNow(jid: string): Promise<void> {
    const connection = redis.connect();
    for (const entry of await connection.zrange('retry', '0', '-1'))
      if (entry.includes(jid)) await connection.zadd('retry', 'XX', 0, entry);
  }

  async function shownProcess(): Promise<ShownProcess> {
    const connection = redis.connect();
    const [identity = ''] = await connection.smembers('processes');
    const entryOf = async (kind: string) => (await connection.hvals(`${identity}:${kind}`))[0] ?? 'null';
    const work = { workers: await entryOf('workers'), work: await entryOf('work') };
    return { identity, hash: await connection.hgetall(identity), work };
  }
});
