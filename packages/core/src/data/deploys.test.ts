import { describe, expect, test } from '@jest/globals';
import { useRedis } from '../test-support/index.js';
import { Deploys } from './deploys.js';

const at = new Date('2026-11-23T20:46:31.5Z');
const minute = new Date('2026-11-23T20:46:00Z');

describe('Deploys', () => {
  const redis = useRedis();

  test("a mark stands as Ruby's: by its minute, for 90 days, with a guard of a minute", async () => {
    const connection = redis.connect();
    expect(await new Deploys(connection).mark('v1.2 (abc123)', at)).toBe('marked');
    expect(await connection.hgetall('20261123-marks')).toEqual({ '2026-11-23T20:46:00Z': 'v1.2 (abc123)' });
    expect(await connection.ttl('20261123-marks')).toBeGreaterThan(7_776_000 - 60);
    expect(await connection.get('deploylock-v1.2 (abc123)')).toBe('2026-11-23T20:46:00Z');
    expect(await connection.ttl('deploylock-v1.2 (abc123)')).toBeGreaterThan(0);
    expect((await connection.keys('*')).toSorted()).toEqual(['20261123-marks', 'deploylock-v1.2 (abc123)']);
  });

  test('of two processes that mark one deploy, one is heard', async () => {
    const deploys = new Deploys(redis.connect());
    expect((await Promise.all([deploys.mark('v2', at), deploys.mark('v2', at)])).toSorted()).toEqual([
      'known',
      'marked',
    ]);
    expect(await deploys.list(at)).toEqual([{ at: minute, label: 'v2' }]);
  });

  test('a minute keeps its first label', async () => {
    const deploys = new Deploys(redis.connect());
    await deploys.mark('first', at);
    await deploys.mark('second', minute);
    expect(await deploys.list(at)).toEqual([{ at: minute, label: 'first' }]);
  });

  test('without a time it is now', async () => {
    const deploys = new Deploys(redis.connect());
    const before = Date.now();
    await deploys.mark('now');
    const [mark] = await deploys.between(new Date(before), new Date(before + 120_000));
    expect(mark?.label).toBe('now');
  });

  test('marks that Ruby wrote are listed by day, and between two times, the earliest first', async () => {
    const connection = redis.connect();
    await connection.hset('20261123-marks', {
      '2026-11-23T20:46:00Z': 'b',
      '2026-11-23T09:05:00Z': 'a',
      garbage: 'x',
    });
    await connection.hset('20261124-marks', { '2026-11-24T00:00:00Z': 'c' });
    const deploys = new Deploys(connection);
    expect((await deploys.list(at)).map(({ label }) => label)).toEqual(['a', 'b']);
    const between = await deploys.between(new Date('2026-11-23T20:46:59Z'), new Date('2026-11-24T12:00:00Z'));
    expect(between.map(({ label }) => label)).toEqual(['b', 'c']);
  });

  test('an empty label and a time that is none are refused', async () => {
    const deploys = new Deploys(redis.connect());
    await expect(deploys.mark('')).rejects.toMatchObject({ code: 'TSQ_DEPLOY_INVALID' });
    await expect(deploys.mark('v', new Date('never'))).rejects.toMatchObject({ code: 'TSQ_DEPLOY_INVALID' });
  });
});
