/** Capsules in the whole process: each has slots and queues of its own, and none takes, requeues or loses another's jobs. */
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { keys } from '@tsq/core';
import { eventually, TcpProxy, useRedis } from '@tsq/core/test-support';
import { exitCodes } from './exit-codes.js';
import { type RunningCommand, useCommand } from './test-support/command.js';
import { useFolders } from './test-support/folder-of.js';

const workers = fileURLToPath(new URL('../fixtures/behaviour', import.meta.url));
/** Longer than any test. */
const forEver = 600_000;

describe('capsules', () => {
  const redis = useRedis();
  const start = useCommand();
  const folderOf = useFolders();

  /** `a` for the top level, with one slot; two slots for `bulk`. */
  function startWith(
    bulkQueues: readonly string[],
    args: readonly string[] = [],
    url = redis.url,
  ): RunningCommand {
    const capsules = { bulk: { concurrency: 2, queues: bulkQueues } };
    const file = JSON.stringify({ queues: ['a'], concurrency: 1, capsules }); // JSON is YAML
    const quick = ['--heartbeat-interval', '1', '--heartbeat-ttl', '3', '--recovery-interval', '1'];
    const more = ['--recovery-start-delay', '0', '--beat-interval', '0.2', '--claim-ahead', '0'];
    return start(['-r', workers, ...quick, ...more, ...args], {
      folder: folderOf({ 'tsq.yml': file }),
      environment: { REDIS_URL: url },
    });
  }

  /** Each queue's jobs have jids `QUEUE1`, `QUEUE2`, … */
  async function push(queue: string, count: number, durationMs = forEver): Promise<void> {
    for (let number = 1; number <= count; number += 1) {
      const job = { class: 'slow', args: [durationMs], jid: `${queue}${number}`, queue, retry: true };
      await redis.connect().lpush(keys.queue(queue), JSON.stringify(job));
    }
  }

  /** In no order: jobs that ran side by side go back side by side. */
  async function waiting(queue: string): Promise<string[]> {
    const line = await redis.connect().lrange(keys.queue(queue), 0, -1);
    return line.map((text) => JSON.parse(text).jid).toSorted();
  }

  const begun = ({ log }: RunningCommand) =>
    log.flatMap(({ msg, jid }) => (msg === 'slow began' ? [String(jid)] : [])).toSorted();

  async function hasBegun(command: RunningCommand, ...jids: string[]): Promise<void> {
    await eventually(() => expect(begun(command)).toEqual(jids), 25_000);
  }

  test('each runs the jobs of its own queues, and so many at once as it has slots', async () => {
    await push('a', 2);
    await push('b', 3);
    const command = startWith(['b']);
    await hasBegun(command, 'a1', 'b1', 'b2');
    const [identity = ''] = await redis.connect().smembers(keys.processes);
    expect(await redis.connect().hget(keys.process(identity), 'concurrency')).toBe('3');
    await eventually(async () =>
      expect(await redis.connect().hget(keys.process(identity), 'busy')).toBe('3'),
    );
    expect([await waiting('a'), await waiting('b')]).toEqual([['a2'], ['b3']]);
  });

  test('a queue that two of them share is worked on by the slots of both', async () => {
    await push('a', 5);
    const command = startWith(['a']);
    await hasBegun(command, 'a1', 'a2', 'a3');
    expect(await waiting('a')).toEqual(['a4', 'a5']);
  });

  test('S1: at the deadline of a stop the jobs of all go back, each to its own queue', async () => {
    await push('a', 2);
    await push('b', 3);
    const command = startWith(['b'], ['-t', '0']);
    await hasBegun(command, 'a1', 'b1', 'b2');
    command.signal('SIGTERM');
    expect(await command.exitCode).toBe(exitCodes.stopped);
    expect([await waiting('a'), await waiting('b')]).toEqual([
      ['a1', 'a2'],
      ['b1', 'b2', 'b3'],
    ]);
  });

  test('S2: one that has nothing to run when the process stops requeues no job of another', async () => {
    await push('a', 1, 1_500);
    const command = startWith(['a', 'b'], ['-t', '60']);
    await hasBegun(command, 'a1');
    command.signal('SIGTERM');
    expect(await command.exitCode).toBe(exitCodes.stopped);
    expect(await waiting('a')).toEqual([]);
    expect(begun(command)).toEqual(['a1']);
    expect(await redis.connect().get(keys.processed)).toBe('1');
  });

  test('S1: kill -9 loses no job of any, and another process runs each once more', async () => {
    await push('a', 1);
    await push('b', 2);
    const killed = startWith(['b'], ['--tracked', 'all']);
    await hasBegun(killed, 'a1', 'b1', 'b2');
    killed.signal('SIGKILL');
    await killed.exitCode;
    const heir = startWith(['b'], ['--tracked', 'all']);
    await hasBegun(heir, 'a1', 'b1', 'b2');
    expect(await redis.connect().keys('tsq:job:*')).toHaveLength(3);
  }, 60_000);

  test('S1: jobs of a claim whose reply was lost are run by the capsule that claimed them, once', async () => {
    const proxy = await TcpProxy.before(redis.port);
    await push('a', 1, 1); // with it Redis comes to know the scripts
    const command = startWith(['b'], ['--tracked', 'all'], proxy.url);
    await hasBegun(command, 'a1');
    const dropped = proxy.dropReplyTo(`${keys.paused}\r\n$7\r\n${keys.queue('b')}`);
    await push('b', 3);
    await dropped;
    await hasBegun(command, 'a1', 'b1', 'b2');
    await command.logged('adopted a claim');
    expect(await waiting('b')).toEqual(['b3']);
    command.signal('SIGTERM');
    command.signal('SIGINT');
    expect(await command.exitCode).toBe(exitCodes.stopped);
    expect(await waiting('b')).toEqual(['b1', 'b2', 'b3']);
    await proxy.close();
  });
});
