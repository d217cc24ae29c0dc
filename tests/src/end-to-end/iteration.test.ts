/** Long jobs that iterate, in real processes: killed, stopped, cancelled, and begun by Ruby. */
import { describe, expect, test } from '@jest/globals';
import { Client, cancelIteration, cancelJob } from '@tsq/core';
import { eventually, useRedis } from '@tsq/core/test-support';
import { useTsqWorkers } from './tsq-worker.js';

const within = 60_000;
const timeoutMs = 120_000;

describe('a job that iterates', () => {
  const redis = useRedis();
  const tsq = useTsqWorkers();

  async function enqueue(steps: number, stepMs: number): Promise<string> {
    const client = new Client({ url: redis.url });
    const jid = await client.enqueue('Interop::Walk', [steps, stepMs]);
    await client.close();
    if (jid === undefined) throw new Error('nothing was enqueued');
    return jid;
  }

  const stepsOf = (jid: string) =>
    tsq.journal
      .lines('step')
      .filter((line) => line.jid === jid)
      .map((line) => Number(line.text));
  const startsOf = (jid: string) =>
    tsq.journal
      .lines('from')
      .filter((line) => line.jid === jid)
      .map((line) => line.text);
  const hasEnded = (jid: string) => tsq.journal.jids('end').includes(jid);

  test(
    'S1 L1: killed in the middle, it goes on from the cursor that was stored last, and leaves no step out',
    async () => {
      const connection = redis.connect();
      const victim = await tsq.start(redis.url);
      const jid = await enqueue(90, 100);
      const storedAt = async () => Number(await connection.hget(`it-${jid}`, 'c'));
      await eventually(async () => expect(await storedAt()).toBeGreaterThan(0), within);
      const cursor = await storedAt();
      await victim.end('SIGKILL');
      await tsq.start(redis.url);
      await eventually(() => expect(hasEnded(jid)).toBe(true), within);
      expect(startsOf(jid)).toEqual(['start', String(cursor)]);
      expect([...new Set(stepsOf(jid))].toSorted((one, other) => one - other)).toEqual(
        Array.from({ length: 90 }, (_, step) => step),
      );
      await eventually(async () => expect(await connection.exists(`it-${jid}`)).toBe(0));
    },
    timeoutMs,
  );

  test(
    'stopped in the middle, it goes on in another process, and no step is done twice',
    async () => {
      const connection = redis.connect();
      const first = await tsq.start(redis.url, '-t', '30');
      const jid = await enqueue(40, 50);
      await eventually(() => expect(stepsOf(jid).length).toBeGreaterThan(5), within);
      expect(await first.end('SIGTERM')).toBe(0);
      // Before its deadline, with its cursor stored, and back in the queue.
      expect(hasEnded(jid)).toBe(false);
      const next = Number(await connection.hget(`it-${jid}`, 'c'));
      expect(stepsOf(jid)).toHaveLength(next);
      expect(await connection.llen('queue:default')).toBe(1);
      await tsq.start(redis.url);
      await eventually(() => expect(hasEnded(jid)).toBe(true), within);
      expect(stepsOf(jid)).toEqual(Array.from({ length: 40 }, (_, step) => step));
      expect(await connection.get('stat:failed')).not.toBe('1');
      expect(await connection.zcard('retry')).toBe(0);
    },
    timeoutMs,
  );

  test(
    'cancelled while it runs, it ends, and is not retried',
    async () => {
      const connection = redis.connect();
      await tsq.start(redis.url);
      const jid = await enqueue(100_000, 20);
      await eventually(() => expect(stepsOf(jid).length).toBeGreaterThan(0), within);
      await cancelIteration(connection, jid);
      await eventually(() => expect(tsq.journal.jids('cancelled')).toContain(jid), within);
      await eventually(async () => expect(await connection.exists(`it-${jid}`)).toBe(0), within);
      expect([await connection.zcard('retry'), await connection.llen('queue:default')]).toEqual([0, 0]);
    },
    timeoutMs,
  );

  test(
    'cancelled as any job is, it ends within its iteration, calls its hook, and leaves no state',
    async () => {
      const connection = redis.connect();
      await tsq.start(redis.url);
      const jid = await enqueue(100_000, 20);
      await eventually(() => expect(stepsOf(jid).length).toBeGreaterThan(0), within);
      await cancelJob(connection, jid);
      await eventually(() => expect(tsq.journal.jids('cancelled')).toContain(jid), within);
      await eventually(
        async () => expect(await connection.exists(`it-${jid}`, 'tsq:cancelled')).toBe(0),
        within,
      );
      expect([await connection.zcard('retry'), await connection.llen('queue:default')]).toEqual([0, 0]);
    },
    timeoutMs,
  );

  test(
    'one that Ruby 7.3 has begun, with its state and its payload, is gone on with',
    async () => {
      const connection = redis.connect();
      const jid = 'fedcba9876543210fedcba98';
      await connection.hset(`it-${jid}`, { ex: 1, c: '7', rt: '5.018421' });
      await connection.lpush(
        'queue:default',
        `{"retry":true,"queue":"default","args":[10,1],"class":"Interop::Walk","jid":"${jid}","created_at":1795466562.4968998,"enqueued_at":1795466570.1}`,
      );
      await tsq.start(redis.url);
      await eventually(() => expect(hasEnded(jid)).toBe(true), within);
      expect([startsOf(jid), stepsOf(jid)]).toEqual([['7'], [7, 8, 9]]);
    },
    timeoutMs,
  );
});
