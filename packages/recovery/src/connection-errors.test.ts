import { expect, test } from '@jest/globals';
import { ReplyError } from 'ioredis';
import { servesCommands } from './connection-errors.js';

test.each([
  ["OOM command not allowed when used memory > 'maxmemory'", true],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', true],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", false],
  ["READONLY You can't write against a read only replica.", false],
  ['BUSY Redis is busy running a script.', false],
  ['LOADING Redis is loading the dataset in memory', false],
])('of a Redis that says "%s" it is %p that it serves commands', (message, serves) => {
  const refusal = new ReplyError(message);
  expect(servesCommands(refusal)).toBe(serves);
  expect(servesCommands(new AggregateError([refusal]))).toBe(serves);
});

test('a lost connection says nothing of commands', () => {
  expect(servesCommands(new Error('Connection is closed.'))).toBe(false);
});
