import { describe, expect, test } from '@jest/globals';
import { luaViolations } from './lua-rules.js';
import { filesUnder, readText } from './workspace.js';

test('every script keeps the rules for scripts', () => {
  const scripts = ['packages', 'apps'].flatMap((folder) => filesUnder(folder, '.lua'));
  expect(scripts.flatMap((path) => luaViolations(path, readText(path)))).toEqual([]);
});

/** Redis has no way for one script to use another's lines, so these stand in each, and must agree. */
test.each([
  [
    'the mark of a payload',
    'local function mark_of',
    'end',
    ['recovery/src/recover', 'tracker/src/settle', 'tracker/src/suspects'],
  ],
  [
    'the mark of what stands at a key',
    'local function mark_at',
    'end',
    ['tracker/src/settle', 'tracker/src/suspects'],
  ],
  [
    'the note of a claim',
    'batch = batch or',
    'table.insert(reply, taken)',
    ['tracker/src/claim', 'tracker/src/claim-known'],
  ],
])('%s is written the same in each script that has it', (_what, first, last, names) => {
  const [original, ...others] = names.map((name) => passage(readText(`packages/${name}.lua`), first, last));
  expect(original?.length).toBeGreaterThan(4);
  for (const other of others) expect(other).toEqual(original);
});

/** The lines from one that begins with `first` to the next that is as deep and begins with `last`. */
function passage(text: string, first: string, last: string): readonly string[] {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.trimStart().startsWith(first));
  const depth = (line: string) => line.length - line.trimStart().length;
  const length = lines
    .slice(from)
    .findIndex((line) => line.trimStart().startsWith(last) && depth(line) === depth(lines[from] ?? ''));
  return lines.slice(from, from + length + 1);
}

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
