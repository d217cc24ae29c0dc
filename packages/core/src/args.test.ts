import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkArgs } from './args.js';
import { parseJson, stringifyJson } from './exact-json.js';

const refusal = (args: unknown): string => {
  try {
    checkArgs(args);
  } catch (error) {
    expect(error).toMatchObject({ code: 'TSQ_ARGS_INVALID' });
    return error instanceof Error ? error.message : '';
  }
  return 'accepted';
};

class Point {
  x = 1;
}

describe('checkArgs accepts', () => {
  test.each<[string, unknown[]]>([
    ['none', []],
    ['scalars', [null, true, 0, -0, 1.5, 'é😀', 2n ** 64n, 1e300]],
    ['arrays and objects', [[[]], { a: { 'odd key': [1] }, __proto__: null }]],
    ['objects without a prototype', [Object.assign(Object.create(null), { a: 1 })]],
    ['objects and arrays of another realm', [runInNewContext('({ a: [{}] })')]],
    [
      'one object in two places',
      (() => {
        const shared = { a: 1 };
        return [shared, [shared]];
      })(),
    ],
    ['`__proto__` as a key of its own', [JSON.parse('{"__proto__":{"a":1}}')]],
    [
      'an accessor, by its value',
      [
        {
          get a() {
            return 1;
          },
        },
      ],
    ],
  ])('%s', (_name, args) => {
    expect(refusal(args)).toBe('accepted');
  });

  test('whatever it accepts is written, and read back equal', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.anything({
            withBigInt: true,
            withDate: true,
            withMap: true,
            withNullPrototype: true,
            withSparseArray: true,
          }),
        ),
        (args) => {
          if (refusal(args) !== 'accepted') return;
          checkArgs(args);
          const text = stringifyJson(args);
          expect(stringifyJson(parseJson(text))).toBe(text);
        },
      ),
    );
  });
});

describe('checkArgs refuses', () => {
  const sparse: unknown[] = [1];
  sparse[2] = 3;

  test.each<[unknown[], string]>([
    [
      [1, { due: new Date(0) }],
      'args[1].due: expected a plain object, got an instance of Date; pass date.toISOString()',
    ],
    [[{ 'odd key': NaN }], 'args[0]["odd key"]: expected a finite number, got NaN; pass null or a string'],
    [[[[-Infinity]]], 'args[0][0][0]: expected a finite number, got -Infinity'],
    [[undefined], 'args[0]: expected a JSON value, got undefined; pass null'],
    [[{ a: undefined }], 'args[0].a: expected a JSON value, got undefined'],
    [[sparse], 'args[0][1]: expected a JSON value, got a hole; pass null'],
    [
      [
        function go() {
          return 1;
        },
      ],
      'args[0]: expected a JSON value, got the function go',
    ],
    [[() => 1], 'got a function'],
    [[Symbol('s')], 'got the symbol Symbol(s)'],
    [[{ [Symbol('k')]: 1 }], 'args[0]: expected keys that are strings, got the key Symbol(k)'],
    [[new Map()], 'got an instance of Map; pass Object.fromEntries(map)'],
    [[new Set()], 'got an instance of Set; pass [...set]'],
    [[new Point()], 'got an instance of Point; pass a plain object'],
    [[Buffer.from('x')], "got an instance of Buffer; pass Buffer.from(...).toString('base64')"],
    [[new String('x')], 'got an instance of String'],
    [[/x/], 'got an instance of RegExp'],
    [[Promise.resolve()], 'got an instance of Promise'],
    [[{ toJSON: () => 1 }], 'args[0].toJSON: expected a JSON value, got '],
    [[Object.create({ inherited: 1 })], 'args[0]: expected a plain object'],
    [
      ['ab\ud800c'],
      'args[0]: expected a string that UTF-8 can carry, got half a surrogate pair, \\ud800, as character 2',
    ],
    [[{ '\udc00': 1 }], 'args[0]["\\udc00"]: expected a string that UTF-8 can carry'],
  ])('%p', (args, message) => {
    expect(refusal(args)).toContain(message);
  });

  test('what is not an array', () => {
    expect(refusal('x')).toBe(
      'args: expected an array of arguments, got a string; put the arguments into [ ]',
    );
    expect(refusal(undefined)).toContain('got undefined');
    expect(refusal({ length: 0 })).toContain('got an instance of Object');
  });

  test('circular values, with the way there and where it goes back to', () => {
    const node: Record<string, unknown> = { a: [] };
    node.children = [1, { parent: node }];
    expect(refusal([0, node])).toBe(
      'args[1].children[1].parent: expected a tree, got args[1] again (circular); pass an id instead',
    );
    const args: unknown[] = [];
    args.push({ args });
    expect(refusal(args)).toContain('args[0].args: expected a tree, got args again (circular)');
  });

  test('the level that Ruby could not parse within a payload, and not the one before', () => {
    const nested = (levels: number) => parseJson('['.repeat(levels) + ']'.repeat(levels));
    expect(refusal(nested(99))).toBe('accepted');
    expect(refusal(nested(100))).toContain('expected at most 99 levels of arrays and objects, got one more');
    expect(refusal(nested(1e6))).toContain('expected at most 99 levels');
  });
});
