import { describe, expect, test } from '@jest/globals';
import { scanJsonObject, spliceJsonObject } from './json-object.js';

const splice = (text: string, edits: Record<string, string | undefined>) =>
  spliceJsonObject(scanJsonObject(Buffer.from(text), 100), edits, 100).toString();

describe('spliceJsonObject', () => {
  test('the first key of an empty object gets no comma, the second does', () => {
    expect(splice('{}', { a: '1' })).toBe('{"a":1}');
    expect(splice('{ }', { a: '1', b: '2' })).toBe('{ "a":1,"b":2}');
    expect(splice('{"a":1}', { a: undefined, b: '2' })).toBe('{"b":2}');
  });

  test('an object can lose all its keys', () => {
    expect(splice('{ "a":1 , "b":2 }', { a: undefined, b: undefined })).toBe('{   }');
    expect(splice('{"a":1,"b":2,"c":3}', { a: undefined, c: undefined })).toBe('{"b":2}');
  });

  test('an edit of nothing gives the same bytes', () => {
    expect(splice(' { "a" : 1.0 } ', {})).toBe(' { "a" : 1.0 } ');
  });
});
