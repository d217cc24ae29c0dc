import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Roster, type Seated } from './roster.js';

interface Named extends Seated {
  readonly name: number;
}

test('a roster holds what a set would hold, whatever comes and goes in whatever order', () => {
  const calls = fc.array(fc.record({ call: fc.constantFrom('add', 'delete' as const), name: fc.nat(9) }));
  fc.assert(
    fc.property(calls, (steps) => {
      const everybody = Array.from({ length: 10 }, (_, name): Named => ({ name }));
      const roster = new Roster<Named>();
      const set = new Set<Named>();
      for (const { call, name } of steps) {
        const one = everybody[name] as Named;
        roster[call as 'add'](one);
        set[call as 'add'](one);
      }
      expect(new Set(roster)).toEqual(set);
      expect(roster.size).toBe(set.size);
      for (const one of everybody) expect(roster.has(one)).toBe(set.has(one));
    }),
  );
});

test('one of another roster is not in this one, and stays where it is', () => {
  const [here, there] = [new Roster<Named>(), new Roster<Named>()];
  const one = { name: 1 };
  here.add({ name: 2 });
  there.add(one);
  expect(here.has(one)).toBe(false);
  here.delete(one);
  expect([here.size, there.has(one)]).toEqual([1, true]);
});
