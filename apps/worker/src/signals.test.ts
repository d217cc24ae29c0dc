import { describe, expect, test } from '@jest/globals';
import { type Logger, silentLogger } from '@tsq/core';
import { Signals } from './signals.js';

describe('signals from Redis', () => {
  function handled(...names: string[]): string[] {
    const done: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (_fields, message) => done.push(message) };
    const actions = {
      stop: (why: string) => done.push(`stop by ${why}`),
      quiet: () => done.push('quiet'),
      dump: () => done.push('dump'),
    };
    const signals = new Signals(actions, logger);
    for (const name of names) signals.handle(name);
    return done;
  }

  test('do what the process signals of the same name do', () => {
    expect(handled('TSTP', 'TTIN', 'TERM', 'INT')).toEqual(['quiet', 'dump', 'stop by TERM', 'stop by INT']);
  });

  test('of other names do nothing: anybody who writes to Redis can send one', () => {
    const unknown = 'a signal that tsq does not know; expected TERM, INT, TSTP or TTIN';
    expect(handled('KILL', 'constructor', '')).toEqual([unknown, unknown, unknown]);
  });
});
