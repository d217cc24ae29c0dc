import { describe, expect, test } from '@jest/globals';
import { type ArgsOf, workerDefinitionOf } from '@tsq/core';
import { z } from 'zod';
import { type DefinedWorker, defineWorker } from './define-worker.js';

const invalid = (message: string) =>
  expect.objectContaining({ code: 'TSQ_WORKER_INVALID', message: expect.stringContaining(message) });

/** Compiles only when the two types are the same. */
function expectType<Expected>() {
  return <Actual>(
    same: [Expected] extends [Actual] ? ([Actual] extends [Expected] ? 'same' : 'narrower') : 'other',
  ) => expect(same).toBe('same');
}

describe('defineWorker', () => {
  test('gives a worker of that name with those options, whose function can be called by hand', () => {
    const worker = defineWorker('Billing::Charge', { queue: 'money' }, (id: number) => id + 1);
    expect(workerDefinitionOf(worker)).toEqual({ name: 'Billing::Charge', options: { queue: 'money' } });
    expect(worker.perform(1)).toBe(2);
  });

  test('options may be left out', () => {
    expect(workerDefinitionOf(defineWorker('Plain', () => undefined))).toEqual({
      name: 'Plain',
      options: {},
    });
  });

  test('what enqueue takes follows from the function, or from the schema it goes through', () => {
    const byFunction = defineWorker('A', (_id: number, _name?: string) => undefined);
    expectType<[_id: number, _name?: string | undefined]>()<ArgsOf<typeof byFunction>>('same');

    const bySchema = defineWorker('B', { args: z.tuple([z.string(), z.int()]) }, (name, id) => {
      expectType<string>()<typeof name>('same');
      expectType<number>()<typeof id>('same');
    });
    expectType<[string, number]>()<ArgsOf<typeof bySchema>>('same');

    const due = z.iso.datetime().transform((text) => new Date(text));
    const transformed = defineWorker('C', { args: z.tuple([due]) }, (at) => at.getTime());
    expectType<DefinedWorker<[string], [Date]>>()<typeof transformed>('same');
    expectType<[string]>()<ArgsOf<typeof transformed>>('same');
    bySchema.perform('x', 1);
  });

  test('the compiler refuses a function that the schema does not fit, and unknown options', () => {
    // @ts-expect-error the schema gives a number
    defineWorker('A', { args: z.tuple([z.int()]) }, (_id: string) => undefined);
    // @ts-expect-error the name is the first argument
    expect(() => defineWorker('A', { nam: 'B' }, () => undefined)).toThrow(invalid('no option "nam"'));
  });

  test('no name and no function are refused', () => {
    const loose: (...args: unknown[]) => unknown = defineWorker as never;
    expect(() => loose(() => undefined)).toThrow(invalid('expected a name, got a function'));
    expect(() => loose('A', {})).toThrow(invalid('defineWorker("A"): expected a function'));
    expect(() => loose('A', { name: 'B' }, () => undefined)).toThrow(
      invalid('its name is the first argument'),
    );
    expect(() => loose('A')).toThrow(invalid('defineWorker("A"): expected a function'));
    expect(() => loose('A', null, () => undefined)).toThrow(invalid('expected an object of options'));
    expect(() => loose('', () => undefined)).toThrow(invalid('a worker without a name'));
  });
});
