import { describe, expect, test } from '@jest/globals';
import { useRedis } from '../test-support/index.js';
import { MetricsQuery } from './metrics-query.js';
import { redisTimeMs } from './redis-time.js';

/** What stands in Redis is written by hand, from the description of Sidekiq's forms: nothing of ours may write it. */
const pad = (value: number) => String(value).padStart(2, '0');

function keysAt(at: Date) {
  const [year, month, day] = [at.getUTCFullYear(), pad(at.getUTCMonth() + 1), pad(at.getUTCDate())];
  const [hour, minute] = [at.getUTCHours(), at.getUTCMinutes()];
  return {
    of7: `j|${year}${month}${day}|${hour}:${minute}`,
    of8: `j|${year % 100}${month}${day}|${hour}:${pad(minute)}`,
    tenOf8: `j|${year % 100}${month}${day}|${hour}:${Math.floor(minute / 10)}`,
    histogramOf7: (name: string) => `${name}-${day}-${pad(hour)}:${minute}`,
    histogramOf8: (name: string) => `h|${name}-${at.getUTCDate()}-${hour}:${minute}`,
  };
}

const histogram = (...counts: readonly [bucket: number, count: number][]) => {
  const bytes = Buffer.alloc(52);
  for (const [bucket, count] of counts) bytes.writeUInt16BE(count, bucket * 2);
  return bytes;
};

describe('MetricsQuery', () => {
  const redis = useRedis();

  async function setUp() {
    const connection = redis.connect();
    const nowMs = await redisTimeMs(connection);
    const ago = (minutes: number) => keysAt(new Date(nowMs - minutes * 60_000));
    return { connection, ago, query: new MetricsQuery(connection) };
  }

  test('of a Redis without metrics it knows no class, and of a class zeros', async () => {
    const { query } = await setUp();
    expect(await query.topClasses()).toEqual([]);
    const details = await query.forClass('Nobody');
    expect(details).toMatchObject({ name: 'Nobody', processed: 0, failed: 0, milliseconds: 0 });
    expect([details.averageMs, details.p50Ms, details.p99Ms]).toEqual([undefined, undefined, undefined]);
    expect(details.series).toHaveLength(60);
  });

  test.each(['of7', 'of8'] as const)(
    'the form %s is read: sums, and a point for each minute',
    async (form) => {
      const { connection, ago, query } = await setUp();
      await connection.hset(ago(2)[form], {
        'Slow|p': 3,
        'Slow|f': 1,
        'Slow|ms': 5_000,
        'A::B|p': 9,
        'A::B|ms': 90,
      });
      await connection.hset(ago(30)[form], { 'Slow|p': 1, 'Slow|ms': 1_000 });
      await connection.hset(ago(400)[form], { 'Slow|p': 100, 'Slow|ms': 1 });
      const [slow, quick, ...others] = await query.topClasses();
      expect(others).toEqual([]);
      expect(slow).toMatchObject({
        name: 'Slow',
        processed: 4,
        failed: 1,
        milliseconds: 6_000,
        averageMs: 2_000,
      });
      expect(quick).toMatchObject({ name: 'A::B', processed: 9, failed: 0, milliseconds: 90, averageMs: 10 });
      const points = slow?.series.filter(({ processed }) => processed > 0) ?? [];
      expect(points.map(({ processed }) => processed)).toEqual([1, 3]);
      expect((points[1]?.at.getTime() ?? 0) - (points[0]?.at.getTime() ?? 0)).toBe(28 * 60_000);
      expect(await query.forClass('Slow')).toMatchObject({ ...slow, name: 'Slow' });
      expect(await query.forClass('Slow', { minutes: 480 })).toMatchObject({ processed: 104 });
    },
  );

  test('what a process wrote in both forms is counted once', async () => {
    const { connection, ago, query } = await setUp();
    const { of7, of8 } = ago(3);
    // A Ruby process writes its three runs in its form only, ours wrote its two in both.
    await connection.hset(of7, { 'Both|p': 2, 'Both|ms': 20, 'Only7|p': 4, 'Only7|f': 4 });
    await connection.hset(of8, { 'Both|p': 5, 'Both|ms': 80 });
    expect(await query.forClass('Both')).toMatchObject({ processed: 5, milliseconds: 80 });
    expect(await query.topClasses()).toMatchObject([
      { name: 'Both', processed: 5 },
      { name: 'Only7', processed: 4, failed: 4, averageMs: undefined },
    ]);
  });

  test("7's minute four is not 8's ten minutes from forty, though both end in the same text", async () => {
    const { connection, query } = await setUp();
    const nowMs = await redisTimeMs(connection);
    const hour = new Date(Math.floor(nowMs / 3_600_000) * 3_600_000 - 3_600_000);
    const minuteFour = keysAt(new Date(hour.getTime() + 4 * 60_000));
    const minuteForty = keysAt(new Date(hour.getTime() + 40 * 60_000));
    expect(minuteFour.of7.slice(-4)).toBe(minuteForty.tenOf8.slice(-4));
    await connection.hset(minuteFour.of7, { 'Four|p': 1 });
    await connection.hset(minuteForty.tenOf8, { 'Forty|p': 7 });
    expect(await query.topClasses({ minutes: 180 })).toMatchObject([{ name: 'Four', processed: 1 }]);
    const inHours = await query.topClasses({ hours: 3 });
    const pointOf = (name: string) =>
      inHours.find((each) => each.name === name)?.series.find(({ processed }) => processed > 0);
    expect(pointOf('Four')).toMatchObject({ at: hour, processed: 1 });
    expect(pointOf('Forty')).toMatchObject({ at: new Date(hour.getTime() + 40 * 60_000), processed: 7 });
  });

  test("hours: 8's ten minutes reach back three days, and 7's minutes are added up", async () => {
    const { connection, ago, query } = await setUp();
    await connection.hset(ago(70 * 60).tenOf8, { 'Old|p': 2, 'Old|ms': 50 });
    await connection.hset(ago(121).of7, { 'In7|p': 1 });
    await connection.hset(ago(141).of7, { 'In7|p': 2, 'In7|f': 1 });
    const classes = await query.topClasses({ hours: 72 });
    expect(classes.map(({ name, processed, failed }) => [name, processed, failed])).toEqual([
      ['Old', 2, 0],
      ['In7', 3, 1],
    ]);
    expect(classes[0]?.series).toHaveLength(72 * 6);
    expect(await query.forClass('In7', { hours: 4 })).toMatchObject({
      processed: 3,
      failed: 1,
      p50Ms: undefined,
    });
  });

  test.each([
    ['of7', 'histogramOf7'],
    ['of8', 'histogramOf8'],
  ] as const)('histograms of the form %s give percentiles', async (form, histogramForm) => {
    const { connection, ago, query } = await setUp();
    await connection.hset(ago(1)[form], { 'Job|p': 60, 'Job|ms': 600 });
    await connection.hset(ago(9)[form], { 'Job|p': 40, 'Job|ms': 60_000 });
    await connection.set(ago(1)[histogramForm]('Job'), histogram([0, 60]));
    await connection.set(ago(9)[histogramForm]('Job'), histogram([10, 30], [11, 10]));
    const details = await query.forClass('Job');
    expect([details.histogram[0], details.histogram[10], details.histogram[11]]).toEqual([60, 30, 10]);
    expect(details.p50Ms).toBeCloseTo((20 * 50) / 60);
    expect(details.p95Ms).toBe(1_400);
    expect(details.p99Ms).toBe(1_640);
  });

  test('a histogram in both forms is counted once', async () => {
    const { connection, ago, query } = await setUp();
    const { of7, of8, histogramOf7, histogramOf8 } = ago(1);
    await connection.hset(of7, { 'Job|p': 3 });
    await connection.hset(of8, { 'Job|p': 2 });
    await connection.set(histogramOf7('Job'), histogram([1, 3]));
    await connection.set(histogramOf8('Job'), histogram([1, 2]));
    expect((await query.forClass('Job')).histogram[1]).toBe(3);
  });

  test('a name with a bar in it stays whole, and fields that are none are passed over', async () => {
    const { connection, ago, query } = await setUp();
    await connection.hset(ago(0).of8, { 'a|b|p': 2, odd: 5, 'a|b|x': 7, '|p': 'many' });
    expect(await query.topClasses({ minutes: 2 })).toMatchObject([
      { name: 'a|b', processed: 2 },
      { name: '', processed: 0 },
    ]);
  });

  test.each([{ minutes: 0 }, { minutes: 481 }, { minutes: 1.5 }, { hours: 73 }, { hours: -1 }])(
    'the window %p is refused',
    async (window) => {
      const { query } = await setUp();
      await expect(query.topClasses(window)).rejects.toMatchObject({ code: 'TSQ_METRICS_WINDOW_INVALID' });
      await expect(query.forClass('A', window)).rejects.toMatchObject({ code: 'TSQ_METRICS_WINDOW_INVALID' });
    },
  );
});
