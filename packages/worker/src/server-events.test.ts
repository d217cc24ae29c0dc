import { describe, expect, test } from '@jest/globals';
import { eventually, RecordingLogger } from '@tsq/core/test-support';
import { ServerEvents } from './server-events.js';

const death = { instance: 'web-3', rule: 'connections', jobs: 4 } as const;
const recovery = { instance: 'web-3', rule: 'connections', missing: 1, poison: 0, remaining: 0 } as const;

describe('ServerEvents', () => {
  function events() {
    const logger = new RecordingLogger();
    return { logger, made: new ServerEvents(logger) };
  }

  test('each listener of an event hears of it, until it is taken off, and those of others do not', () => {
    const { made } = events();
    const heard: string[] = [];
    const first = ({ instance }: { readonly instance: string }) => void heard.push(`first ${instance}`);
    made.on('instance-dead', first).on('instance-dead', ({ rule }) => void heard.push(`second ${rule}`));
    made.on('instance-lapsed', () => void heard.push('another'));
    made.emit('instance-dead', death);
    made.off('instance-dead', first);
    made.emit('instance-dead', death);
    expect(heard).toEqual(['first web-3', 'second connections', 'second connections']);
  });

  test('counts what happened, whether or not somebody listens; a snapshot stays as it is', () => {
    const { made } = events();
    const before = made.counters;
    made.emit('instance-dead', death);
    made.emit('instance-dead', { ...death, rule: 'heartbeat' });
    made.emit('orphans-recovered', { ...recovery, recovered: 3, durationMs: 7 });
    made.emit('orphans-recovered', { ...recovery, recovered: 2, durationMs: 5 });
    made.emit('stall', { durationMs: 40, jobs: [], jobsInFlight: 0 });
    made.emit('instance-lapsed', { lapsed: 'a', fresh: 'b' });
    expect(made.counters).toEqual({
      ...before,
      deathsByConnections: 1,
      deathsByHeartbeat: 1,
      recoveries: 2,
      recoveryMs: 12,
      orphansRecovered: 5,
      orphansMissing: 2,
      lapses: 1,
      stalls: 1,
      stallMs: 40,
    });
    expect(Object.values(before).every((count) => count === 0)).toBe(true);
  });

  test('a listener that throws, or rejects, is logged and counted, and keeps nobody from hearing', async () => {
    const { made, logger } = events();
    const heard: string[] = [];
    made.on('instance-dead', () => {
      throw new Error('at once');
    });
    made.on('instance-dead', async () => await Promise.reject(new Error('later')));
    made.on('instance-dead', ({ instance }) => void heard.push(instance));
    made.emit('instance-dead', death);
    expect(heard).toEqual(['web-3']);
    await eventually(() => expect(made.counters.listenerFailures).toBe(2));
    const lines = logger.lines.map(({ fields }) => [fields.event, String(fields.err)]);
    expect(lines).toEqual([
      ['instance-dead', 'Error: at once'],
      ['instance-dead', 'Error: later'],
    ]);
  });

  test('a name that is no event is refused, with the nearest one', () => {
    const { made } = events();
    expect(() => made.on('instance-ded' as 'instance-dead', () => undefined)).toThrow(
      expect.objectContaining({
        code: 'TSQ_EVENT_UNKNOWN',
        message: 'no event is called "instance-ded"; did you mean "instance-dead"?',
      }),
    );
  });
});
