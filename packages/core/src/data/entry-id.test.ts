import { describe, expect, test } from '@jest/globals';
import { entryId, parseEntryId } from './entry-id.js';

describe('the id of an entry', () => {
  test.each([
    ['1795466562.25-abc', '1795466562.25', 'abc'],
    ['1795466562-a-b-c', '1795466562', 'a-b-c'],
    ['1.79546656225e9-abc', '1.79546656225e9', 'abc'],
    ['1.79546656225e+09-abc', '1.79546656225e+09', 'abc'],
    ['1e-07-abc', '1e-07', 'abc'],
    ['-5.5-abc', '-5.5', 'abc'],
    ['1e+21-abc', '1e+21', 'abc'],
    ['inf-abc', 'inf', 'abc'],
    ['-inf-abc', '-inf', 'abc'],
    ['1795466562.-abc', '1795466562.', 'abc'],
    ['1795466562.25-', '1795466562.25', ''],
    ['1795466562.25-a\nb', '1795466562.25', 'a\nb'],
  ])('%p is a score and a jid', (id, score, jid) => {
    expect(parseEntryId(id)).toEqual({ score, jid });
  });

  test.each([
    '',
    '-',
    'abc',
    '1795466562.25',
    'abc-1',
    'infinity-abc',
    'NaN-abc',
    '0x10-abc',
    ' 1-abc',
    '1..2-a',
  ])('%p is refused', (id) => {
    expect(() => parseEntryId(id)).toThrow(expect.objectContaining({ code: 'TSQ_ENTRY_ID_INVALID' }));
  });

  test('is made of the text of the score, and ends with the dash where there is no jid', () => {
    expect([entryId('1.50', 'j'), entryId('1.50', undefined)]).toEqual(['1.50-j', '1.50-']);
  });
});
