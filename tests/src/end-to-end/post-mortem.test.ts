/** When a process is killed, the log of who finds it says how it died and what it was running, and so does inspect(). */
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { Recovery } from '@tsq/recovery';
import { useTsqWorkers } from './tsq-worker.js';

const redis = useRedis();
const tsq = useTsqWorkers();

test('the log of the survivor has a sentence for the job that a killed process was running, and inspect() the same', async () => {
  const killed = await tsq.start(redis.url, '-c', '1');
  const client = new Client({ url: redis.url });
  const jid = (await client.enqueue('Interop::Heeding', [600_000])) ?? '';
  await client.close();
  const recovery = new Recovery(redis.connect());
  await eventually(async () => {
    const { instances } = await recovery.inspect();
    expect(instances[0]?.vitals?.jobs).toEqual([expect.objectContaining({ class: 'Interop::Heeding', jid })]);
  }, 20_000);
  const survivor = await tsq.start(redis.url, '-c', '1');
  await killed.end('SIGKILL');
  const sentence = new RegExp(
    `instance \\S+-${killed.pid}-\\S+ (died|was found dead) at [0-9:]{8} UTC, last beat [0-9]+ s before, [0-9.]+ of [0-9.]+ [GM]iB; was running Interop::Heeding ${jid} for [0-9]+ s`,
  );
  const line = await eventually(() => {
    const found = survivor.log.split('\n').find((each) => sentence.test(each));
    if (found === undefined) throw new Error(`no such sentence in:\n${survivor.log}`);
    return JSON.parse(found);
  }, 20_000);
  expect(line).toMatchObject({ level: 'warn', jid, class: 'Interop::Heeding', likelyCause: 'unknown' });
  await eventually(async () => {
    const { recoveries, instances } = await recovery.inspect();
    expect(recoveries[0]?.postMortem?.jobs).toEqual([
      { class: 'Interop::Heeding', jid, ranMs: line.ranMs, sentence: line.msg },
    ]);
    expect(instances).toHaveLength(1); // L3: the note of the dead went with it
  });
  expect(await redis.connect().keys('tsq:vitals:*')).toHaveLength(1);
}, 60_000);

/** Node reads it at its start; the processes of a test have its environment. */
async function startWithHeapOf(megabytes: number, ...flags: readonly string[]) {
  process.env.NODE_OPTIONS = `--max-old-space-size=${megabytes}`;
  try {
    return await tsq.start(redis.url, ...flags);
  } finally {
    delete process.env.NODE_OPTIONS;
  }
}

test('of a process whose heap is full the log says so, and what it was running, though beats are 30 s apart', async () => {
  const slow = ['-c', '1', '--heartbeat-interval', '30', '--heartbeat-ttl', '90'];
  const greedy = await startWithHeapOf(120, ...slow);
  const survivor = await tsq.start(redis.url, ...slow, '-q', 'elsewhere');
  const client = new Client({ url: redis.url });
  const jid = (await client.enqueue('Interop::Greedy', [])) ?? '';
  await client.close();
  await eventually(() => expect(greedy.ending).toBe('SIGABRT'), 40_000);
  const words = new RegExp(
    `of its heap: probably out of memory; was running Interop::Greedy ${jid} for [0-9]+ s`,
  );
  await eventually(() => expect(survivor.log).toMatch(words), 20_000);
}, 90_000);
