import { describe, expect, test } from '@jest/globals';
import { workerDefinition, workerDefinitionOf } from '@tsq/core';
import { z } from 'zod';
import { Worker } from './worker-decorator.js';

const invalid = (message: string) =>
  expect.objectContaining({ code: 'TSQ_WORKER_INVALID', message: expect.stringContaining(message) });

class Plain {
  perform(): void {
    // Does nothing: only its being there counts.
  }
}

describe('@Worker', () => {
  test('leaves name and options on the class, and nothing that a copy of it would carry', () => {
    @Worker({ queue: 'images', retry: 5, tracked: true })
    class ResizeImage extends Plain {}

    expect(workerDefinitionOf(ResizeImage)).toEqual({
      name: 'ResizeImage',
      options: { queue: 'images', retry: 5, tracked: true },
    });
    expect(Object.getOwnPropertyDescriptor(ResizeImage, workerDefinition)?.enumerable).toBe(false);
  });

  test('a Ruby name takes the place of the class name, and is no option of the jobs', () => {
    @Worker({ name: 'Billing::Charge' })
    class Charge extends Plain {}

    expect(workerDefinitionOf(Charge)).toEqual({ name: 'Billing::Charge', options: {} });
  });

  test('without options it is a worker all the same', () => {
    @Worker()
    class Bare extends Plain {}

    expect(workerDefinitionOf(Bare)?.name).toBe('Bare');
  });

  test('a subclass is not a worker until it says so', () => {
    @Worker()
    class Parent extends Plain {}
    class Child extends Parent {}
    @Worker({ queue: 'own' })
    class Registered extends Parent {}

    expect(workerDefinitionOf(Child)).toBeUndefined();
    expect(workerDefinitionOf(Registered)).toEqual({ name: 'Registered', options: { queue: 'own' } });
  });

  test('called as experimentalDecorators call it, without a context, it does the same', () => {
    class Legacy extends Plain {}
    Worker({ queue: 'low' })(Legacy);
    expect(workerDefinitionOf(Legacy)).toEqual({ name: 'Legacy', options: { queue: 'low' } });
  });

  test('a static method called name, which hides the class name, is never taken for it', () => {
    class Ticket {
      static name(): string {
        return 'something else';
      }
      perform(): void {
        // Does nothing.
      }
    }
    expect(() => Worker()(Ticket)).toThrow(invalid('it needs one; give the class a name'));
    Worker({ name: 'Ticket' })(Ticket);
    expect(workerDefinitionOf(Ticket)?.name).toBe('Ticket');
  });

  test('a class without a method perform is refused', () => {
    class Empty {}
    class Field {
      perform = () => undefined;
    }
    const decorate: (target: unknown) => void = Worker() as never;
    expect(() => decorate(Empty)).toThrow(invalid('class Empty: expected a method `perform`'));
    expect(() => Worker()(Field)).toThrow(invalid('a field (perform = () => {}) is not one'));
    expect(() => decorate({})).toThrow(invalid('@Worker stands on a class, not on an object'));
  });

  test('a class without a name is refused, unless it is given one', () => {
    const nameless = () => class extends Plain {};
    expect(() => Worker()(nameless())).toThrow(invalid('it needs one; give the class a name'));
    const Named = nameless();
    Worker({ name: 'Named' })(Named);
    expect(workerDefinitionOf(Named)?.name).toBe('Named');
  });

  test('written without brackets, or twice, it is refused', () => {
    const bare: (target: unknown) => void = Worker as never;
    expect(() => bare(Plain)).toThrow(invalid('with brackets'));
    class Twice extends Plain {}
    Worker()(Twice);
    expect(() => Worker()(Twice)).toThrow(invalid('class Twice: decorated with @Worker twice'));
  });

  test.each<[string, object, string]>([
    ['an unknown option', { queu: 'x' }, 'worker "Plain": no option "queu"; did you mean "queue"?'],
    ['an option of Object itself', { toString: 1 }, 'no option "toString"'],
    ['an empty queue', { queue: '' }, 'lone surrogates, got string ""'],
    [
      'a retry of text',
      { retry: '5' },
      'retry: expected true, false or an integer from 0 up, got string "5"',
    ],
    ['a negative retry', { retry: -1 }, 'retry: expected true, false or an integer from 0 up, got number -1'],
    ['a timeout of 0', { timeout: 0 }, 'timeout: expected seconds, more than 0 and at most 2147483'],
    ['a timeout no timer holds', { timeout: 3e6 }, 'timeout: expected seconds'],
    ['NaN for a timeout', { timeout: Number.NaN }, 'got number NaN'],
    ['tracked as text', { tracked: 'yes' }, 'tracked: expected true or false, got string "yes"'],
    ['a tag that is no string', { tags: ['a', 1] }, 'tags: expected an array of strings, got an array of 2'],
    ['args that are no schema', { args: [] }, 'args: expected a zod schema of a tuple or an array'],
    [
      'a queue with a line break',
      { queue: 'a\nb' },
      'queue: expected a string that is not empty, without control',
    ],
    ['a retryQueue with half a character', { retryQueue: '\ud800' }, 'retryQueue: expected a string'],
    ['a retryFor that is a moment', { retryFor: 1.8e9 }, 'retryFor: expected seconds from 0 to 1000000000'],
    ['a retryIn that is no function', { retryIn: 60 }, 'retryIn: expected a function, got number 60'],
    ['a retriesExhausted of text', { retriesExhausted: 'discard' }, 'retriesExhausted: expected a function'],
    [
      'an expiresIn of 0',
      { expiresIn: 0 },
      'expiresIn: expected seconds, more than 0 and at most 1000000000',
    ],
    [
      'a logLevel that is none',
      { logLevel: 'loud' },
      'logLevel: expected one of debug, info, warn, error, fatal',
    ],
    [
      'an option in the spelling of the wire',
      { expires_in: 5 },
      'no option "expires_in"; did you mean "expiresIn"',
    ],
    ['null for an option', { dead: null }, 'dead: expected true or false, got null'],
    ['no object', Object('queue'), 'no option "0"'],
  ])('refuses %s', (_name, settings, message) => {
    class Target extends Plain {}
    Object.defineProperty(Target, 'name', { value: 'Plain' });
    expect(() => Worker(settings)(Target)).toThrow(invalid(message));
  });

  test('an option that is undefined counts as not given', () => {
    class Target extends Plain {}
    const settings: object = { queue: undefined };
    expect(() => Worker(settings)(Target)).not.toThrow();
  });

  test('the compiler holds perform to what the schema gives', () => {
    const args = z.tuple([z.url(), z.coerce.number()]);

    @Worker({ args })
    class Fits {
      perform(_url: string, _width: number): void {}
    }
    @Worker({ args })
    class TakesLess {
      perform(_url: string): void {}
    }
    // @ts-expect-error the second argument is a number
    @Worker({ args })
    class WrongType {
      perform(_url: string, _width: string): void {}
    }
    // @ts-expect-error the schema gives two
    @Worker({ args })
    class WantsMore {
      perform(_url: string, _width: number, _height: number): void {}
    }
    // @ts-expect-error a worker is made without arguments
    @Worker()
    class NeedsArguments {
      constructor(readonly needed: string) {}
      perform(): void {}
    }
    // @ts-expect-error no such option
    expect(() => Worker({ que: 'x' })(Plain)).toThrow(invalid('que'));
    for (const worker of [Fits, TakesLess, WrongType, WantsMore, NeedsArguments]) {
      expect(workerDefinitionOf(worker)).toBeDefined();
    }
  });
});
