/** A worker's `timeout`, in a real process: the job fails with it, whether its `perform` heeds the signal or not. */
import { expect, test } from '@jest/globals';
import { Client, Payload } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const redis = useRedis();
const tsq = useTsqWorkers();

test.each([
  ['heeds its signal', 'Interop::HeedingTimeout', 60_000, 0],
  ['ignores it, and returns too late', 'Interop::IgnoringTimeout', 1_000, 1],
])(
  'a job over its timeout whose perform %s is in retry with TSQ_JOB_TIMEOUT',
  async (_how, name, durationMs, ends) => {
    const worker = await tsq.start(redis.url);
    const client = new Client({ url: redis.url });
    const jid = await client.enqueue(name, [durationMs]);
    await client.close();
    const admin = redis.connect();
    const bytes = await eventually(async () => {
      const [entry] = await admin.zrangeBuffer('retry', '0', '-1');
      if (entry === undefined) throw new Error(`nothing is in retry:\n${worker.log}`);
      return entry;
    });
    const entry = Payload.parse(bytes);
    expect({
      jid: entry.jid,
      class: entry.string('error_class'),
      retries: entry.integer('retry_count'),
    }).toEqual({
      ...{ jid, class: 'TsqError', retries: 0 },
    });
    expect(entry.string('error_message')).toBe(
      `TSQ_JOB_TIMEOUT: ${name} ran longer than its timeout of 0.3 s`,
    );
    expect(tsq.journal.jids('end').filter((ended) => ended === jid)).toHaveLength(ends);
    await eventually(async () =>
      expect(await admin.mget('stat:processed', 'stat:failed')).toEqual(['1', '1']),
    );
    expect(await worker.end('SIGTERM')).toBe(0);
    expect(await admin.keys('tsq:*')).toEqual([]);
  },
);
