import { inflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { TsqError } from '@tsq/core';
import { backtraceOf, errorClass, errorMessage, packBacktrace } from './thrown.js';

class Declined extends Error {}
class Renamed extends Error {
  override readonly name = 'Billing::Declined';
}

describe('errorClass', () => {
  test.each<[unknown, string]>([
    [new Error('x'), 'Error'],
    [new RangeError('x'), 'RangeError'],
    [new Declined('x'), 'Declined'],
    [new Renamed('x'), 'Billing::Declined'],
    [Object.assign(new Declined('x'), { name: 'Own' }), 'Own'],
    [new DOMException('x', 'AbortError'), 'AbortError'],
    [new AggregateError([]), 'AggregateError'],
    [new TsqError('TSQ_ARGS_REJECTED', 'x'), 'TsqError'],
    [new (class extends Error {})('x'), 'Error'],
    ['text', 'String'],
    [5n, 'BigInt'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ a: 1 }, 'Object'],
    [Object.create(null), 'Error'],
    [{ message: 'from another realm', name: 'TypeError' }, 'TypeError'],
  ])('%p is shown as %s', (thrown, name) => {
    expect(errorClass(thrown)).toBe(name);
  });

  test('an error that does not let itself be looked at is an Error', () => {
    expect(errorClass(hostile())).toBe('Error');
  });
});

describe('errorMessage', () => {
  test.each<[unknown, string]>([
    [new Error('plain'), 'plain'],
    [new TsqError('TSQ_ARGS_REJECTED', 'args[0]: no'), 'TSQ_ARGS_REJECTED: args[0]: no'],
    [new AggregateError([new RangeError('a'), 'b'], ''), 'RangeError: a; b'],
    [new AggregateError([new Error('a')], 'own'), 'own (Error: a)'],
    [
      new AggregateError([new Error('a', { cause: new Error('b') })], 'own'),
      'own (Error: a; caused by Error: b)',
    ],
    [new AggregateError([new Error('told')], 'all is told'), 'all is told'],
    [
      new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:80') }),
      'fetch failed; caused by Error: connect ECONNREFUSED 127.0.0.1:80',
    ],
    [new Error('no: disk full', { cause: new Error('disk full') }), 'no: disk full'],
    [new Error('', { cause: new Declined('no money') }), 'caused by Declined: no money'],
    [new Error('outer', { cause: new Declined('') }), 'outer; caused by Declined'],
    [new Error('outer', { cause: 'a word' }), 'outer; caused by a word'],
    [new Error('outer', { cause: { code: 5 } }), 'outer; caused by { code: 5 } was thrown'],
    [new Error('outer', { cause: null }), 'outer'],
    ['text', 'text'],
    ['', ''],
    [undefined, 'undefined was thrown'],
    [{ a: { b: 1 } }, '{ a: { b: 1 } } was thrown'],
    [{ message: 5 }, '5'],
  ])('%p says %p', (thrown, message) => {
    expect(errorMessage(thrown)).toBe(message);
  });

  test('a message that throws when it is read is replaced by a fixed one', () => {
    const shy = Object.defineProperty(new Error(), 'message', { get: hostileGetter });
    expect(errorMessage(shy)).toBe('(the message of the error could not be read)');
    expect(errorMessage(hostile())).toBe('{} was thrown');
    const own: AggregateError = new AggregateError([1], '');
    own.errors.push(own, own);
    expect(errorMessage(own)).toBe('1 was thrown');
  });

  test('causes that go round in a circle, or on for ever, come to an end', () => {
    const first: Error & { cause?: unknown } = new Error('first');
    first.cause = new Error('second', { cause: first });
    expect(errorMessage(first)).toBe('first; caused by Error: second');
    let chain = new Error('innermost');
    for (let i = 0; i < 100_000; i += 1) chain = new Error(`level ${i}`, { cause: chain });
    expect(errorMessage(chain).split('; caused by ')).toHaveLength(10);
    const crowd = new AggregateError(
      Array.from({ length: 1_000 }, (_, i) => new Error(`error ${i}`)),
      '',
    );
    expect(errorMessage(crowd).split('; ')).toHaveLength(9);
  });

  test('a cause that can not be looked at costs the error none of its own words', () => {
    const shy = Object.defineProperty(new Error(), 'message', { get: hostileGetter });
    expect(errorMessage(new Error('outer', { cause: shy }))).toBe(
      'outer; caused by Error: (the message of the error could not be read)',
    );
    expect(errorMessage(Object.defineProperty(new Error('outer'), 'cause', { get: hostileGetter }))).toBe(
      'outer',
    );
  });

  test('it is cut at 10,000 code points, and never within one', () => {
    expect(errorMessage(new Error('x'.repeat(10_001)))).toHaveLength(10_000);
    expect(errorMessage(new Error('😀'.repeat(10_001)))).toBe('😀'.repeat(10_000));
    expect(errorMessage(new Error('😀'.repeat(6_000)))).toBe('😀'.repeat(6_000));
  });

  test('half a surrogate pair, which Ruby could not parse, becomes U+FFFD; whole pairs stay', () => {
    expect(errorMessage(new Error('a\ud83db😀c\udc00'))).toBe('a\ufffdb😀c\ufffd');
  });
});

describe('backtraceOf', () => {
  test('the lines of the stack without the message, though it may have lines that look like some', () => {
    const lines = backtraceOf(new Error('first\nsecond'));
    expect(lines[0]).toMatch(/^at .*thrown\.test/);
    expect(lines.every((line) => line.startsWith('at '))).toBe(true);
  });

  test('each cause follows with its own lines', () => {
    const lines = backtraceOf(new Error('outer', { cause: new Declined('no money') }));
    expect(lines.filter((line) => line.startsWith('Caused by'))).toEqual(['Caused by: Declined: no money']);
  });

  test('causes that go round in a circle, or on for ever, come to an end', () => {
    const first: Error & { cause?: unknown } = new Error('first');
    first.cause = new Error('second', { cause: first });
    expect(backtraceOf(first).filter((line) => line.startsWith('Caused by'))).toHaveLength(1);
    let chain = new Error('innermost');
    for (let i = 0; i < 100; i += 1) chain = new Error('outer', { cause: chain });
    expect(backtraceOf(chain).filter((line) => line.startsWith('Caused by'))).toHaveLength(9);
  });

  test('the errors of an AggregateError follow, with their causes', () => {
    const first = new RangeError('a', { cause: new Error('a1') });
    const all = new AggregateError([first, new Error('b')], 'both', { cause: new Error('c') });
    const named = backtraceOf(all).filter((line) => !line.startsWith('at '));
    expect(named).toEqual([
      'Caused by: Error: c',
      'Contains: RangeError: a',
      'Caused by: Error: a1',
      'Contains: Error: b',
    ]);
  });

  test('what is no error, or does not let itself be looked at, has none', () => {
    const shy = Object.defineProperty(new Error('x'), 'stack', { get: hostileGetter });
    for (const thrown of ['text', undefined, { message: 'no stack' }, hostile(), shy]) {
      expect(backtraceOf(thrown)).toEqual([]);
    }
  });
});

test('packBacktrace gives base64 on one line, of zlib, of a JSON array', () => {
  const packed = packBacktrace(Array(50).fill('at x'));
  expect(packed).toMatch(/^eJ[A-Za-z0-9+/]+=*$/);
  expect(JSON.parse(inflateSync(Buffer.from(packed, 'base64')).toString())).toHaveLength(50);
});

function hostile(): unknown {
  const refuse = hostileGetter;
  return new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse });
}

function hostileGetter(): never {
  throw new Error('no looking');
}
