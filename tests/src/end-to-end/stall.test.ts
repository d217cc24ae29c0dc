/**
 * A job that never lets go of the event loop, for five TTLs: nothing is recovered, nothing runs twice, and the log names it while
 * it runs. The process beats each 0.5 s, with a TTL of 2 s, and another one stands beside it, eager to recover.
 */
import { expect, test } from '@jest/globals';
import { Client } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { type TsqWorker, useTsqWorkers } from './tsq-worker.js';

const redis = useRedis();
const tsq = useTsqWorkers();
const ttlMs = 2_000;
const beatMs = 500;

interface StallLine {
  readonly level: string;
  readonly time: string;
  readonly pid: number;
  readonly instance: string;
  readonly stalledMs: number;
  readonly jobs: readonly { readonly class: string; readonly jid: string }[];
  readonly msg: string;
}

/** The lines of a log with this text, as they stand there now. */
const linesWith = (worker: TsqWorker, text: string) =>
  worker.log
    .split('\n')
    .filter((line) => line.includes(text))
    .map((line) => JSON.parse(line) as StallLine);

async function enqueueAll(...jobs: readonly (readonly [string, ...(string | number)[]])[]) {
  const client = new Client({ url: redis.url });
  const jids: string[] = [];
  for (const [name, ...args] of jobs) jids.push((await client.enqueue(name, args)) ?? '');
  await client.close();
  return jids;
}

test.each(['computing', 'asleep'] as const)(
  'S4: a job that blocks the event loop for five TTLs, %s, is named in the log within two beats, and nothing is recovered',
  async (how) => {
    const blocked = await tsq.start(redis.url, '-c', '4');
    const [jid, ...sleepers] = await enqueueAll(
      ['Interop::Blocking', how, 5 * ttlMs],
      ...Array.from({ length: 3 }, () => ['Interop::Sleeping', ttlMs] as const),
    );
    await eventually(() => expect(tsq.journal.jids('start')).toContain(jid));
    const [begun] = await eventually(() => {
      const lines = linesWith(blocked, `most likely Interop::Blocking ${jid} keeps it busy`);
      expect(lines).not.toHaveLength(0);
      return lines;
    });
    // It is still blocked, so the thread itself has written the line.
    expect(tsq.journal.jids('end')).not.toContain(jid);
    expect(begun).toMatchObject({ level: 'warn', pid: blocked.pid });
    expect(begun?.jobs[0]).toMatchObject({ class: 'Interop::Blocking', jid });
    expect(begun?.stalledMs).toBeGreaterThanOrEqual(beatMs);
    expect(begun?.stalledMs).toBeLessThan(ttlMs); // two beats, and what a busy machine adds
    const other = await tsq.start(redis.url, '-c', '4');
    await eventually(() => expect(tsq.journal.jids('end')).toContain(jid), 5 * ttlMs + 20_000);
    const [ended] = await eventually(() => {
      const lines = linesWith(blocked, 'turns again after').filter((line) => line.stalledMs > 4 * ttlMs);
      expect(lines).toHaveLength(1);
      return lines;
    });
    expect(ended?.jobs[0]).toMatchObject({ class: 'Interop::Blocking', jid });
    await eventually(() => {
      const told = tsq.journal.lines('stall').map(({ text }) => JSON.parse(text));
      const long = told.filter(({ durationMs, jobs }) => durationMs > 4 * ttlMs && jobs[0].jid === jid);
      expect(long).toHaveLength(1);
    });
    await eventually(() => expect(tsq.journal.jids('end')).toEqual(expect.arrayContaining(sleepers)), 30_000);
    const mine = new Set([jid, ...sleepers]);
    const starts = tsq.journal.jids('start').filter((each) => mine.has(each));
    expect(starts).toHaveLength(mine.size);
    expect(linesWith(blocked, `most likely Interop::Blocking ${jid}`)).toHaveLength(1);
    for (const worker of [blocked, other]) {
      expect(worker.log).not.toContain('recovered');
      expect(worker.log).not.toContain('goes on under a new id');
    }
    const endings = await Promise.all([blocked, other].map((worker) => worker.end('SIGTERM')));
    expect(endings).toEqual([0, 0]);
    expect(await redis.connect().keys('tsq:*')).toEqual([]);
  },
  90_000,
);
