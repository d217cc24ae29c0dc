/**
 * Payloads as hostile as JSON allows, as text: `latin1`, one character for each byte, so that strings can hold what is no
 * UTF-8. Their class is `W`, and they want to be retried.
 */
import fc from 'fast-check';
import { nameOf } from './member-texts.js';

const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const among = (...texts: string[]) => fc.constantFrom(...texts);
const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((texts) => texts.join(''));

const space = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.array(among(' ', '\t', '\n', '\r'), { maxLength: 3 }).map((it) => it.join('')) },
);

const piece = fc.oneof(
  among('a', 'x y', '{', '}', '[', ']', ',', ':', '<>&/', '\x7f', 'at', 'queue'),
  among('\\"', '\\\\', '\\/', '\\n', '\\u0000', '\\u00e9', '\\ud83d\\ude00', '\\ud800', '\\u2028'),
  among('é', '日本語', '😀', '\u2028').map(utf8),
  among('\xff', '\xc3', '\x80', '\xed\xa0\x80', '\xc0\xaf', '\xf0\x9f'), // none of these is UTF-8
);
const string = fc.array(piece, { maxLength: 5 }).map((pieces) => `"${pieces.join('')}"`);

const number = fc.oneof(
  among('0', '-0', '1.0', '1e2', '1E+2', '1e-7', '0.10', '-0.0', '1E400', '100000000000000000000.0'),
  among('9007199254740993', '123456789012345678901234567890', '-9223372036854775809'),
  fc.bigInt().map(String),
);

const { value, list } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    ...[string, number, among('true', 'false', 'null'), tie('list'), tie('object')],
  ),
  list: inside('[', joined(space, tie('value'), space), ']'),
  object: inside('{', joined(space, string, space, fc.constant(':'), space, tie('value'), space), '}'),
}));

function inside(open: string, item: fc.Arbitrary<string>, close: string): fc.Arbitrary<string> {
  const items = fc.array(item, { maxLength: 3 });
  return fc.tuple(items, space).map(([texts, rest]) => `${open}${texts.join(',') || rest}${close}`);
}

const seconds = among('1700000000', '1700000000.1234567', '1700000000123', '1.0e9');

/** What Sidekiq gives a meaning, and edits or reads. */
const meaningful: Readonly<Record<string, fc.Arbitrary<string>>> = {
  ...{ class: among('"W"', '"\\u0057"'), args: list, jid: string, retry_queue: among('"low"', '""', 'null') },
  ...{
    queue: among('"low"', '"default"', '""', 'null', '7'),
    retry: among('true', '25', 'null', '"5"', '1.0'),
  },
  ...{ retry_count: among('-1', '0', '3', 'null', '1.0'), backtrace: among('true', '2', 'false', 'null') },
  ...{ error_message: string, error_class: string, error_backtrace: string, at: seconds },
  ...{ created_at: seconds, enqueued_at: seconds, failed_at: seconds, retried_at: seconds },
  // Long enough after all of these, or no durations at all: the job is neither dropped nor out of retries.
  ...{
    retry_for: among('1000000000', '1e9', '"5"', 'null', '-1'),
    expires_in: among('1e9', '"60"', 'null', '-1'),
  },
  ...{
    expiry: among('4000000000.5', '4000000000', '4000000000123', '"soon"', 'null'),
    dead: among('false', '0'),
  },
  ...{ log_level: among('"debug"', '"fatal"', '"loud"', '7'), tags: value, locale: value, cattr: value },
  ...{ wrapped: value, display_class: value },
};

const member = (key: fc.Arbitrary<string>, text: fc.Arbitrary<string>) =>
  joined(space, key, space, fc.constant(':'), space, text, space);

/** As it is, or with its first letter escaped, which spells the same name. */
const spelled = (name: string) =>
  among(`"${name}"`, `"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}"`);
const meaningfulMember = (name: string) => member(spelled(name), meaningful[name] ?? value);

const foreignKey = fc
  .oneof(string, among('"__proto__"', '"constructor"', '"toString"', '"tags"', '"Queue"', '"x"', '""', '"0"'))
  .filter((key) => !Object.hasOwn(meaningful, nameOf(key)));

/** Keys may come twice, the foreign and the others. */
const members = fc
  .tuple(
    meaningfulMember('class'),
    meaningfulMember('args'),
    fc.array(among(...Object.keys(meaningful)).chain(meaningfulMember), { maxLength: 10 }),
    fc.array(member(foreignKey, value), { maxLength: 8 }),
  )
  .map(([name, args, others, foreign]) => [name, args, ...others, ...foreign])
  .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }));

export const arbitraryPayload: fc.Arbitrary<string> = fc
  .tuple(space, members, space)
  .map(([head, texts, tail]) => `${head}{${texts.join(',')}}${tail}`);
