import { describe, expect, test } from '@jest/globals';
import { eventually, useRedis } from '@tsq/core/test-support';
import { type InstanceId, Keyspace } from '@tsq/tracker';
import { FlightReader } from './flight-reader.js';
import { FlightRecorder } from './flight-recorder.js';
import { InstanceProcess } from './test-support/start-instance.js';
import { readVitals, vitalsNow } from './vitals.js';

const keyspace = new Keyspace();
const id = 'web-3' as InstanceId;

describe('vitals', () => {
  const redis = useRedis();

  function noted(count: number, name = 'Import::Csv') {
    const recorder = new FlightRecorder(250);
    for (let index = 0; index < count; index += 1) {
      const bytes = Buffer.from(JSON.stringify({ class: name, jid: `j${index}`, args: [] }));
      const unit = { bytes, owner: id, batch: 7, index };
      recorder.began({ unit, jid: '', displayClass: '', beganAtMs: performance.now() - 1_000 * (index + 1) });
    }
    return vitalsNow(new FlightReader(recorder.source), id, 1_234.5);
  }

  test('are read as they were noted', async () => {
    const connection = redis.connect();
    await connection.hset(keyspace.vitals(id), 'beat', '1795521850.123456', ...noted(2));
    const vitals = (await readVitals(connection, keyspace, [id, 'unknown' as InstanceId])).get(id);
    expect(vitals).toMatchObject({ beatAtSeconds: 1_795_521_850.123456, stalledMs: 1_235, jobsInFlight: 2 });
    expect(vitals?.uptimeMs).toBeGreaterThan(0);
    expect(vitals?.rssBytes).toBeGreaterThan(10e6);
    expect(vitals?.memoryLimitBytes).toBeGreaterThan(vitals?.rssBytes ?? 0);
    expect(vitals?.jobs).toEqual([
      { class: 'Import::Csv', jid: 'j1', runningMs: expect.any(Number), claim: '7.1' },
      { class: 'Import::Csv', jid: 'j0', runningMs: expect.any(Number), claim: '7.0' },
    ]);
  });

  test('are bounded, however many jobs run and whatever they are called', () => {
    const text = noted(1_000, 'N'.repeat(5_000)).join('');
    expect(text.length).toBeLessThan(12_000);
    expect(text).toContain('running1000');
  });

  test('what is no note reads as none', async () => {
    const connection = redis.connect();
    await connection.set(keyspace.vitals(id), 'x');
    await connection.hset(keyspace.vitals('b' as InstanceId), 'beat', '1', 'jobs', 'x', 'rss', 'y');
    const read = await readVitals(connection, keyspace, [id, 'b' as InstanceId]);
    expect([...read]).toEqual([['b', expect.objectContaining({ beatAtSeconds: 1, rssBytes: 0, jobs: [] })]]);
  });

  test('go with each beat of a process, and with it when it stops', async () => {
    const heartbeat = { intervalMs: 100, ttlMs: 2_000 };
    await using process = await InstanceProcess.start({ url: redis.url, heartbeat });
    const connection = redis.connect();
    const read = async () => (await readVitals(connection, keyspace, [process.id])).get(process.id);
    await process.hear('beat', 10); // the heap is known after a turn of the loop
    const vitals = await read();
    expect(vitals?.heapBytes).toBeGreaterThan(1e6);
    expect(vitals?.stalledMs).toBe(0);
    process.tell('block');
    await eventually(async () => expect((await read())?.stalledMs).toBeGreaterThan(1_000));
    await process.hear('unblocked');
    process.tell('stop');
    await process.hear('stopped');
    expect(await connection.keys('*')).toEqual([]);
  });
});
