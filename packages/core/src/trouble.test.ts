import { describe, expect, test } from '@jest/globals';
import { ReplyError } from 'ioredis';
import { unavailable } from './connection.js';
import { TsqError } from './errors.js';
import { failureKind } from './failure-kind.js';
import { RecordingLogger } from './test-support/index.js';
import { Trouble } from './trouble.js';

/** As the client library makes it when the connection is lost in a transaction. */
const ofItself = Object.assign(new Error('Connection is closed.'), { previousErrors: [] as Error[] });
ofItself.previousErrors.push(ofItself);

const oom = new ReplyError("OOM command not allowed when used memory > 'maxmemory'.");

describe('Trouble', () => {
  const levels = (logger: RecordingLogger) => logger.lines.map(({ level }) => level);

  test('a failure is said once for each kind, and once when it is over', () => {
    const logger = new RecordingLogger();
    const trouble = new Trouble(logger, "Can't try");
    for (let at = 0; at < 3; at += 1) trouble.met(oom);
    for (let at = 0; at < 3; at += 1) trouble.met(new ReplyError('WRONGTYPE Operation against a key'));
    trouble.over();
    trouble.over();
    expect(levels(logger)).toEqual(['error', 'error', 'info']);
    expect(logger.lines.at(-1)?.fields).toEqual({ failures: 6 });
  });

  test('what fails because Redis is away is said at debug; what Redis refuses then is not hidden by it', () => {
    const logger = new RecordingLogger();
    const trouble = new Trouble(logger, "Can't try", 'warn');
    trouble.met(unavailable('nothing was sent'));
    trouble.over();
    expect(levels(logger)).toEqual(['debug', 'debug']);
    trouble.met(unavailable('nothing was sent'));
    trouble.met(unavailable('a claim got no answer', oom));
    trouble.over();
    expect(levels(logger).slice(2)).toEqual(['debug', 'warn', 'info']);
  });
});

describe('the kind of a failure', () => {
  test.each([
    ['OOM', oom],
    [
      'OOM',
      new ReplyError(
        "ERR Error running script (call to f_12): @user_script:7: -OOM command not allowed when used memory > 'maxmemory'.",
      ),
    ],
    ['WRONGTYPE', new ReplyError('WRONGTYPE Operation against a key holding the wrong kind of value')],
    ['WRONGTYPE', new AggregateError([new ReplyError('WRONGTYPE Operation')], 'two')],
    ['away', new ReplyError('BUSY Redis is busy running a script. You can only call SCRIPT KILL')],
    ['away', new ReplyError('LOADING Redis is loading the dataset in memory')],
    ['away', new ReplyError("READONLY You can't write against a read only replica.")],
    ['away', new ReplyError('MASTERDOWN Link with MASTER is down')],
    ['away', new ReplyError("ERR Error running script (call to f_12): @user_script:1: -READONLY You can't")],
    ['away', new Error('Connection is closed.')],
    ['away', ofItself],
    ['away', new Error("Stream isn't writeable and enableOfflineQueue options is false")],
    ['away', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })],
    ['away', unavailable('no connection within 5 ms')],
    ['OOM', Object.assign(new ReplyError('EXECABORT Transaction discarded'), { previousErrors: [oom] })],
    ['timeout', new Error('Command timed out')],
    ['timeout', unavailable('a claim got no answer', new Error('Command timed out'))],
    ['TSQ_INSTANCE_UNREGISTERED', new TsqError('TSQ_INSTANCE_UNREGISTERED', 'instance x')],
    ['TypeError', new TypeError("Cannot read properties of undefined (reading 'x')")],
    ['Error', Object.assign(new Error('wrong'), { code: 'ERR_INVALID_ARG_TYPE' })],
    ['a text', 'a text'],
  ])('%s: %p', (kind, error) => {
    expect(failureKind(error)).toBe(kind);
  });
});
