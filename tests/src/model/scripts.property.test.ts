/** The .lua files do what the model of docs/protocol.md says, key by key, in whatever order they are called. */
import { describe, expect, test } from '@jest/globals';
import { useRedis } from '@tsq/core/test-support';
import fc from 'fast-check';
import { originals, type ScriptName } from './lua-scripts.js';
import { sequences } from './run-sequences.js';

/** The guards as they stand in the scripts, and what is left when they are cut out. */
const mutants: readonly (readonly [guard: string, script: ScriptName, from: string, to: string])[] = [
  ['G1', 'claim', "if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then return 'unregistered' end", ''],
  ['G2', 'settle', 'if held[i] == 0 and not is_free then', 'if false then'],
  ['G3', 'recover', "if redis.call('EXISTS', KEYS[3]) == 1 then return 'alive' end", ''],
  ['G4', 'recover', "redis.call('SREM', KEYS[1], id)", "redis.call('SISMEMBER', KEYS[1], id)"],
  ['G5', 'recover', "redis.call('SADD', KEYS[2], id)", ''],
  ['G6', 'beat', "if not registered and ARGV[3] ~= 'register' then", 'if false then'],
  ['G9', 'claim', "'.' .. index .. '@'", "'.0@'"],
  ['G10', 'claim', 'math.max(1, ARGV[4] - count + 1)', '1'],
  ['G14', 'settle', 'return { registered, lost', 'return { 1, lost'],
  ['G15', 'retire', "if redis.call('SCARD', KEYS[3]) > 0 then", 'if false then'],
  ['the payload goes with its claim', 'settle', "redis.call('DEL', unpack(ended_keys))", ''],
  [
    'an outcome after a release counts while the instance is registered',
    'settle',
    ' and registered == 1',
    '',
  ],
  ['an orphan joins the end that was asked for', 'recover', "goes_next and 'RPUSH' or 'LPUSH'", "'RPUSH'"],
  ['what has ended since it was read is passed over', 'recover', 'if held[i] == 0 then', 'if false then'],
  ['a put-back ends the claim', 'recover', "redis.call('SREM', KEYS[4], unpack(ended))", ''],
  ['the count of batches goes with the instance', 'recover', 'KEYS[5], KEYS[8], KEYS[9]', 'KEYS[8], KEYS[9]'],
  ['the note goes with a dead instance', 'recover', 'KEYS[5], KEYS[8], KEYS[9]', 'KEYS[5], KEYS[8]'],
  ['the note goes with one that stops', 'retire', 'KEYS[4], KEYS[5], KEYS[11]', 'KEYS[4], KEYS[5]'],
  ['one that stops with claims was no death', 'retire', 'KEYS[2], KEYS[11]', 'KEYS[2]'],
  ['the note goes with an id that has lapsed', 'beat', "redis.call('DEL', KEYS[3])\n  return", 'return'],
  ['the last of a requeue is fetched first', 'settle', "[lines] = 'RPUSH'", "[lines] = 'LPUSH'"],
  ['what yields is fetched last', 'settle', "[backs] = 'LPUSH'", "[backs] = 'RPUSH'"],
  ['a paused queue is passed over', 'claim', 'if paused[position] == 1 then', 'if false then'],
];

describe('the scripts', () => {
  const redis = useRedis();

  test('S1, S3, S5: do what the model does with tracked jobs, and each job is in one place', async () => {
    await fc.assert(sequences(redis.connect(), { kind: 'tracked' }), { numRuns: 200 });
  }, 300_000);

  test('do what the model does, also with jobs whose claim was released', async () => {
    await fc.assert(sequences(redis.connect(), { kind: 'all' }), { numRuns: 200 });
  }, 300_000);

  test.each(mutants)(
    'differ from the model without %s (%s.lua)',
    async (_guard, script, from, to) => {
      const text = originals[script];
      expect(text).toContain(from);
      const texts = { ...originals, [script]: text.replace(from, () => to) };
      const property = sequences(redis.connect(), { kind: 'all', texts });
      const { failed } = await fc.check(property, { seed: 1, numRuns: 2_000, endOnFailure: true });
      expect(failed).toBe(true);
    },
    300_000,
  );
});
