/** A fleet with Sidekiq Pro or Enterprise in it is not harmed: its private lists, its pauses and its jobs stay its own. */
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { describeWithRuby, eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const redis = useRedis();
const tsq = useTsqWorkers();
const privateList = 'queue:sq|host:1:abc|default';

async function enqueue(queue = 'default'): Promise<string> {
  const client = new Client({ url: redis.url });
  try {
    return (await client.with({ queue }).enqueue('Interop::Echo', [])) ?? '';
  } finally {
    await client.close();
  }
}

test('a private list of super_fetch is neither worked on nor touched', async () => {
  const admin = redis.connect();
  await admin.lpush(privateList, '{"class":"Interop::Echo","args":[],"jid":"private"}');
  const worker = await tsq.start(redis.url, '-q', 'default');
  const jid = await enqueue();
  await eventually(() => expect(tsq.journal.jids('echo')).toContain(jid));
  expect(await worker.end('SIGTERM')).toBe(0);
  expect(tsq.journal.jids('echo')).not.toContain('private');
  expect(await admin.llen(privateList)).toBe(1);
  expect(await admin.smembers('queues')).toEqual(['default']);
});

test('a paused queue is left alone, the others are served, and it is worked on again when it is unpaused', async () => {
  const admin = redis.connect();
  await admin.sadd('paused', 'default');
  await tsq.start(redis.url, '-q', 'default', '-q', 'low');
  const [paused, served] = [await enqueue(), await enqueue('low')];
  await eventually(() => expect(tsq.journal.jids('echo')).toContain(served));
  expect(tsq.journal.jids('echo')).not.toContain(paused);
  expect(await admin.llen('queue:default')).toBe(1);
  await admin.srem('paused', 'default');
  await eventually(() => expect(tsq.journal.jids('echo')).toContain(paused));
});

describeWithRuby('a job of a batch', (ruby) => {
  test('is refused, shown in RetrySet with the reason, and runs nowhere but where Ruby sends it', async () => {
    const worker = await tsq.start(redis.url, '-q', 'default');
    const refusals = () => worker.log.split('TSQ_JOB_REFUSED').length - 1;
    const jid = (await ruby.run(
      `Sidekiq::Client.push('class' => 'Interop::Echo', 'args' => [], 'bid' => 'B1', 'retry' => 3)`,
      { redisUrl: redis.url },
    )) as string;
    await eventually(async () => expect(await redis.connect().zcard('retry')).toBe(1));
    const shown = await ruby.run(
      `entry = Sidekiq::RetrySet.new.first
       [entry.jid, entry['bid'], entry['retry_count'], entry['error_message'][0, 15], entry.queue]`,
      { redisUrl: redis.url },
    );
    expect(shown).toEqual([jid, 'B1', null, 'TSQ_JOB_REFUSED', 'default']);
    expect(await redis.connect().get('stat:failed')).toBeNull();
    const before = refusals();
    await ruby.run('Sidekiq::RetrySet.new.first.retry', { redisUrl: redis.url });
    await eventually(() => expect(refusals()).toBeGreaterThan(before));
    await eventually(async () => expect(await redis.connect().zcard('retry')).toBe(1));
    expect(tsq.journal.jids('echo')).not.toContain(jid);
    const [entry] = await redis.connect().zrange('retry', '0', '-1');
    expect(JSON.parse(entry ?? '{}').retry_count).toBeUndefined();
  });
});
