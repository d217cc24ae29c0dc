import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseJson, stringifyJson } from './exact-json.js';
import type { JsonValue } from './json.js';

/** What JSON carries, and no lone surrogates: those leave as U+FFFD. */
const jsonValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue; object: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, false, 0, -0, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e15, 1e16, 1e21),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 10n ** 40n }),
    fc.bigInt({ min: -(10n ** 40n), max: -(2n ** 53n) }),
    fc.string({ unit: 'grapheme' }),
    fc.string({
      unit: fc.constantFrom('"', '\\', '\\ud', '1', '123456789', '/', '\n', '\u0001', '}', '\u2028'),
    }),
    fc.array(tie('value')),
    tie('object'),
  ),
  object: fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom('__proto__', '10', '2', 'toJSON')),
    tie('value'),
  ),
})).value;

describe('parseJson', () => {
  test('integers beyond 2^53 are exact and all other numbers are doubles', () => {
    expect(
      parseJson('[9007199254740991,9007199254740992,-9007199254740993,-0,1.0,1e3,1234567890123456.78,1E400]'),
    ).toEqual([2 ** 53 - 1, 2n ** 53n, -9007199254740993n, -0, 1, 1000, 1234567890123456.8, Infinity]);
    expect(parseJson('[12345678901234567890]', 'string')).toEqual(['12345678901234567890']);
    expect(parseJson(' 12345678901234567890 ')).toBe(12345678901234567890n);
  });

  test('16 digits are found wherever they stand, and 2^53 - 1 stays a number there', () => {
    for (let spaces = 0; spaces < 40; spaces += 1) {
      const text = `${' '.repeat(spaces)}[9007199254740993,9007199254740991]`;
      expect(parseJson(text)).toEqual([9007199254740993n, 9007199254740991]);
    }
  });

  test('digits inside strings and keys are no numbers', () => {
    const text =
      '{"12345678901234567890":"\\"12345678901234567890\\\\","a\\\\":[{},[],"",12345678901234567890]}';
    expect(parseJson(text)).toEqual({
      '12345678901234567890': '"12345678901234567890\\',
      'a\\': [{}, [], '', 12345678901234567890n],
    });
  });

  test.each(['{"__proto__":{"x":1},"n":1}', '{"__proto__":{"x":1},"n":12345678901234567890}'])(
    '%s sets a property and no prototype',
    (text) => {
      const value = parseJson(text);
      expect(Object.keys(value as object)).toEqual(['__proto__', 'n']);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    },
  );

  test('a million levels are read, with and without a big integer at the bottom', () => {
    for (const bottom of ['', '12345678901234567890']) {
      const text = '['.repeat(1e6) + bottom + ']'.repeat(1e6);
      expect(Array.isArray(parseJson(text))).toBe(true);
    }
  });

  test('what JSON.parse refuses is refused, also behind a big integer', () => {
    for (const text of ['', '[1', '[12345678901234567890', '[12345678901234567890,]', '\ufeff1']) {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    }
  });

  test('whatever the text, the slow way agrees with JSON.parse on what that reads exactly', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(40), (json, spaces) => {
        fc.pre(!/\d{16}/.test(json));
        // The big integer sends it the slow way; the spaces move every digit to every place of a stride.
        const text = `[${' '.repeat(spaces)}12345678901234567890,${json}]`;
        expect(parseJson(text)).toEqual([12345678901234567890n, ...JSON.parse(text).slice(1)]);
      }),
    );
  });
});

describe('stringifyJson', () => {
  test('writes as Ruby does', () => {
    const value = [1, -1, 1.5, 1e15, 1e20, 1e16, 1e-5, 0.0001, 5e-324, -0, 2n ** 64n, 2 ** 53, 1.5e300];
    expect(stringifyJson(value)).toBe(
      '[1,-1,1.5,1.0e+15,1.0e+20,1.0e+16,1.0e-05,0.0001,5.0e-324,-0.0,18446744073709551616,9.007199254740992e+15,1.5e+300]'.replace(
        '1.0e+15',
        '1000000000000000',
      ),
    );
    expect(stringifyJson({ b: 'é\u2028<>&/"\\\u0001\u007f', a: [null, true, {}, []] })).toBe(
      '{"b":"é\u2028<>&/\\"\\\\\\u0001\u007f","a":[null,true,{},[]]}',
    );
  });

  test('a lone surrogate, which Ruby could not parse, leaves as U+FFFD; a pair stays', () => {
    expect(stringifyJson(['\ud800', '\\ud800', '😀', { '\udc00': 1 }])).toBe(
      '["\ufffd","\\\\ud800","😀",{"\ufffd":1}]',
    );
  });

  test('parseJson gives back exactly what was written', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const text = stringifyJson(value);
        expect(parseJson(text)).toEqual(value);
        expect(parseJson(Buffer.from(text))).toEqual(value);
        expect(stringifyJson(parseJson(text))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test.each([NaN, Infinity, -Infinity, undefined, () => 1, Symbol('x')])(
    '%p is refused, at any depth',
    (value) => {
      const refused = expect.objectContaining({ code: 'TSQ_ARGS_INVALID' });
      expect(() => stringifyJson(value as never)).toThrow(refused);
      expect(() => stringifyJson({ a: [value as never] })).toThrow(refused);
    },
  );

  test('more than 100 levels, and circular values, are refused with a code', () => {
    const nested = (levels: number) => parseJson('['.repeat(levels) + ']'.repeat(levels));
    const tooDeep = expect.objectContaining({ code: 'TSQ_PAYLOAD_TOO_DEEP' });
    expect(stringifyJson(nested(100))).toHaveLength(200);
    expect(() => stringifyJson(nested(101))).toThrow(tooDeep);
    const circular: Record<string, JsonValue> = {};
    circular.self = circular;
    expect(() => stringifyJson(circular)).toThrow(tooDeep);
  });
});
