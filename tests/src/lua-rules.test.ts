import { describe, expect, test } from '@jest/globals';
import { luaViolations } from './lua-rules.js';
import { filesUnder, readText } from './workspace.js';

test('every script keeps the rules for scripts', () => {
  const scripts = ['packages', 'apps'].flatMap((folder) => filesUnder(folder, '.lua'));
  expect(scripts.flatMap((path) => luaViolations(path, readText(path)))).toEqual([]);
});

describe('the rules for scripts', () => {
  const header = [
    '-- take: takes one.',
    '-- KEYS[1]  queue  LIST',
    '-- ARGV[1]  id',
    '-- Returns  the bytes',
  ];
  const violations = (code: string, head = header) => luaViolations('x/take.lua', [...head, code].join('\n'));

  test('allow a script whose header says it all, KEYS being the table', () => {
    expect(violations("return redis.call('RPOP', KEYS[1], ARGV[1]) -- no cjson")).toEqual([]);
  });

  test.each([
    ["return cjson.decode(redis.call('RPOP', KEYS[1]))", 'cjson'],
    ["return redis.call('KEYS', ARGV[1])", 'KEYS command'],
    ["return redis.call('scan', 0)", 'SCAN'],
  ])('refuse %s', (code, problem) => {
    expect(violations(code)).toEqual([expect.stringContaining(problem)]);
  });

  test.each([
    [0, 'does not begin with "-- take: "'],
    [1, 'uses KEYS'],
    [2, 'uses ARGV'],
    [3, 'no line "-- Returns"'],
  ])('refuse a header without its line %i', (line, problem) => {
    const head = header.map((text, index) => (index === line ? '--' : text));
    expect(violations('return { KEYS[1], ARGV[1] }', head)).toEqual([expect.stringContaining(problem)]);
  });
});
