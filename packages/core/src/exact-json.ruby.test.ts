/** Ruby's own JSON is the judge of what "as Ruby writes" means: one process answers for a whole batch. */
import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseJson, stringifyJson } from './exact-json.js';
import { describeWithRuby } from './test-support/index.js';

const script = 'require "json"; STDIN.each_line { |line| puts JSON.generate(JSON.parse(line)) }';

function regenerateInRuby(lines: readonly string[]): string[] {
  const ruby = spawnSync('ruby', ['-e', script], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
    env: { ...process.env, LANG: 'C.UTF-8' },
    maxBuffer: 2 ** 28,
  });
  if (ruby.status !== 0) throw new Error(`ruby ended with ${ruby.status ?? ruby.signal}: ${ruby.stderr}`);
  return ruby.stdout.split('\n').slice(0, -1);
}

describeWithRuby("stringifyJson agrees with Ruby's JSON.generate", () => {
  test('on random and on extreme numbers', () => {
    const powers = Array.from({ length: 640 }, (_, index) => 10 ** (index - 330)).filter(Number.isFinite);
    const doubles = [
      ...powers.flatMap((power) => [power, -power, power * 1.5, power * 9.999999999999998, power + 0.1]),
      ...fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 4000),
      ...fc.sample(fc.double({ min: 1e13, max: 1e17, noNaN: true }), 4000),
      ...fc.sample(fc.double({ min: 1e-6, max: 1e-2, noNaN: true }), 2000),
      ...fc.sample(fc.maxSafeInteger(), 1000),
    ].filter(Number.isFinite);
    const numbers = [...doubles, ...fc.sample(fc.bigInt({ min: 2n ** 53n, max: 10n ** 60n }), 500)];
    const lines = numbers.map((number) => stringifyJson([number]));
    expect(regenerateInRuby(lines)).toEqual(lines);
  });

  test('on random strings, objects and arrays', () => {
    const values = fc.sample(fc.jsonValue({ stringUnit: 'grapheme' }), 2000);
    const lines = [...values, 'é\u2028<>&/"\\\u0001\u007f\b\f'].map((value) =>
      stringifyJson([parseJson(JSON.stringify(value))]),
    );
    expect(regenerateInRuby(lines)).toEqual(lines);
  });
});
