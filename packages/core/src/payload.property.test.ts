/**
 * Random payload texts against a model that shares no code with the scanner: each text is put together from pieces, so the
 * model knows which bytes belong to which key without reading any.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringifyJson } from './exact-json.js';
import { Payload } from './payload.js';

/** latin1: one character is one byte, so a text can hold bytes that are not UTF-8. */
const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const bytesOf = (text: string) => Buffer.from(text, 'latin1');

const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 2 });

const stringPiece = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 4 }).map((text) => utf8(JSON.stringify(text).slice(1, -1))),
  fc.constantFrom('\\"', '\\\\', '\\/', '\\u0041', '\\ud800', '\\ud83d\\ude00', '{', '}', '[', ']', ',', ':'),
  fc.constantFrom('\xff', '\xc3', '\xed\xa0\x80', '\xf0\x9f', '\x7f', utf8('\u2028')),
);
const stringText = fc.array(stringPiece, { maxLength: 5 }).map((pieces) => `"${pieces.join('')}"`);

const numberText = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(stringifyJson),
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
  fc.constantFrom('0', '-0', '1.0', '1E400', '-1e-7', '1.50E+2', '9007199254740993'),
);

const valueText = fc.letrec<{ value: string; array: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('null', 'true', 'false'),
    numberText,
    stringText,
    tie('array'),
    tie('object'),
  ),
  array: fc
    .tuple(space, fc.array(fc.tuple(space, tie('value'), space), { maxLength: 4 }))
    .map(([inner, items]) => `[${items.map((item) => item.join('')).join(',') || inner}]`),
  object: fc
    .tuple(space, fc.array(fc.tuple(space, stringText, space, tie('value'), space), { maxLength: 4 }))
    .map(
      ([inner, items]) =>
        `{${items.map(([a, key, b, value, c]) => `${a}${key}${b}:${value}${c}`).join(',') || inner}}`,
    ),
}));

/** Few names, so that keys occur twice and edits meet them. */
const keyName = fc.constantFrom(
  'a',
  'b',
  'retry',
  'queue',
  '__proto__',
  'constructor',
  '10',
  '',
  'é',
  '"',
  'a b',
);

/** The same key, perhaps written with escapes. */
const keyText = (name: string) =>
  fc.array(fc.boolean(), { minLength: name.length, maxLength: name.length }).map((escaped) => {
    const characters = [...name].map((character, index) =>
      escaped[index] === true
        ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
        : JSON.stringify(character).slice(1, -1),
    );
    return utf8(`"${characters.join('')}"`);
  });

interface Piece {
  readonly name: string;
  readonly key: string;
  /** Between the key and its value, colon included. */
  readonly colon: string;
  readonly value: string;
  readonly before: string;
  readonly after: string;
}

const pieceOf = (name: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<Piece> =>
  name.chain((given) =>
    fc.record({
      name: fc.constant(given),
      key: keyText(given),
      colon: fc.tuple(space, space).map(([left, right]) => `${left}:${right}`),
      value,
      before: space,
      after: space,
    }),
  );

const pieces = fc
  .tuple(
    fc.array(pieceOf(keyName, valueText.value), { maxLength: 8 }),
    pieceOf(fc.constant('class'), stringText),
    pieceOf(fc.constant('args'), valueText.array),
    fc.nat(),
    fc.nat(),
  )
  .map(([others, classPiece, argsPiece, first, second]) => {
    const all = others.toSpliced(first % (others.length + 1), 0, classPiece);
    return all.toSpliced(second % (all.length + 1), 0, argsPiece);
  });

const editValue = fc.option(fc.constantFrom('1', '"x"', '{"a":[1.0]}', '12345678901234567890'), {
  nil: undefined,
});
const edits = fc.dictionary(keyName, editValue, { maxKeys: 5, noNullPrototype: true });

const textOf = (all: readonly Piece[]) =>
  `{${all.map(({ before, key, colon, value, after }) => before + key + colon + value + after).join(',')}}`;

/** What stands for each key, in order: the model's answer and, read with JSON.parse's own eyes, the edit's. */
function expectedMembers(all: readonly Piece[], changes: Record<string, string | undefined>): string[] {
  const kept = all.flatMap((piece, index) => {
    if (!Object.hasOwn(changes, piece.name)) return [piece.key + piece.colon + piece.value];
    const isLast = all.findLastIndex((other) => other.name === piece.name) === index;
    const text = changes[piece.name];
    return isLast && text !== undefined ? [piece.key + piece.colon + text] : [];
  });
  const added = Object.entries(changes).flatMap(([name, text]) =>
    text === undefined || all.some((piece) => piece.name === name)
      ? []
      : [`${utf8(stringifyJson(name))}:${text}`],
  );
  return [...kept, ...added];
}

describe('Payload, whatever its text', () => {
  test('reads each key as JSON.parse does, and raw as it stands there', () => {
    fc.assert(
      fc.property(pieces, space, (all, margin) => {
        const bytes = bytesOf(margin + textOf(all) + margin);
        const payload = Payload.parse(bytes);
        const model = new Map(Object.entries(JSON.parse(bytes.toString())));
        for (const { name } of all) {
          const last = all.findLast((piece) => piece.name === name);
          expect(payload.raw(name)?.toString('latin1')).toBe(last?.value);
          expect(JSON.parse(String(payload.raw(name)))).toEqual(model.get(name));
        }
        expect(payload.class).toBe(model.get('class'));
        expect(payload.has('absent')).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('S5: an edit leaves every byte outside its keys as it was and where it was', () => {
    fc.assert(
      fc.property(pieces, edits, space, (all, changes, margin) => {
        const bytes = bytesOf(margin + textOf(all) + margin);
        const before = Buffer.from(bytes);
        const result = Payload.parse(bytes).edit(changes).toString('latin1');
        expect(bytes).toEqual(before);
        let at = 0;
        for (const member of expectedMembers(all, changes)) {
          const found = result.indexOf(member, at);
          expect({ member, found }).not.toEqual({ member, found: -1 });
          // Between two members stand one comma and white space, so nothing came in and no comma was lost.
          expect(result.slice(at, found)).toMatch(at === 0 ? /^\s*\{\s*$/ : /^\s*,\s*$/);
          at = found + member.length;
        }
        expect(result.slice(at)).toMatch(/^\s*\}\s*$/);
        expect(result.startsWith(margin) && result.endsWith(margin)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('S5: an edit takes no white space but that beside what it took away', () => {
    fc.assert(
      fc.property(pieces, edits, (all, changes) => {
        const kept = Object.fromEntries(Object.entries(changes).filter(([, text]) => text !== undefined));
        const isOnce = (name: string) => all.filter((piece) => piece.name === name).length < 2;
        fc.pre(Object.keys(kept).every(isOnce));
        const model = all.map((piece) =>
          Object.hasOwn(kept, piece.name) ? { ...piece, value: kept[piece.name] ?? '' } : piece,
        );
        const added = expectedMembers(all, kept)
          .slice(all.length)
          .map((member) => `,${member}`);
        const expected = `${textOf(model).slice(0, -1)}${added.join('')}}`;
        expect(
          Payload.parse(bytesOf(textOf(all)))
            .edit(kept)
            .toString('latin1'),
        ).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('S5: the result of an edit is a payload that means what the model means', () => {
    fc.assert(
      fc.property(pieces, edits, (all, changes) => {
        const bytes = bytesOf(textOf(all));
        const model = new Map(Object.entries(JSON.parse(bytes.toString())));
        for (const [name, text] of Object.entries(changes)) {
          if (text === undefined) model.delete(name);
          else model.set(name, JSON.parse(text));
        }
        const edited = Payload.parse(bytes).edit(changes);
        expect(Payload.parse(edited).class).toBe(model.get('class'));
        expect(new Map(Object.entries(JSON.parse(edited.toString())))).toEqual(model);
      }),
      { numRuns: 300 },
    );
  });

  test('any damage to it is refused where JSON.parse refuses it, and nowhere else', () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', 'e', '\n', 'u', ' '),
    );
    fc.assert(
      fc.property(pieces, damage, (all, [place, put]) => {
        const text = textOf(all);
        const at = place % text.length;
        const bytes = bytesOf(text.slice(0, at) + put + text.slice(at + 1));
        const verdict = (read: () => unknown) => {
          try {
            return read() === undefined ? 'refused' : 'read';
          } catch (error) {
            return error instanceof Error ? 'refused' : error;
          }
        };
        const asPayload = () => {
          const value: unknown = JSON.parse(bytes.toString());
          const { class: name, args } = Object(value);
          return typeof name === 'string' && Array.isArray(args) ? value : undefined;
        };
        expect(verdict(() => Payload.parse(bytes))).toBe(verdict(asPayload));
      }),
      { numRuns: 1000 },
    );
  });
});
