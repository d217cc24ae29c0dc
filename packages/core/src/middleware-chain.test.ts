import { describe, expect, test } from '@jest/globals';
import { MiddlewareChain } from './middleware-chain.js';

function chainOf(...names: string[]): {
  chain: MiddlewareChain<string[], void>;
  around: (name: string) => Around;
} {
  const chain = new MiddlewareChain<string[], void>();
  for (const name of names) chain.add(name, around(name));
  return { chain, around };
}

type Around = (trace: string[], next: () => Promise<void>) => Promise<void>;

function around(name: string): Around {
  return async (trace, next) => {
    trace.push(name);
    await next();
    trace.push(`/${name}`);
  };
}

describe('MiddlewareChain', () => {
  test('the first added is the outermost', async () => {
    const { chain } = chainOf('a', 'b');
    const trace: string[] = [];
    await chain.invoke(trace, async () => {
      trace.push('perform');
    });
    expect(trace).toEqual(['a', 'b', 'perform', '/b', '/a']);
  });

  test('prepend, insertBefore, insertAfter and remove put and take where they say', () => {
    const { chain } = chainOf('a', 'b');
    chain
      .prepend('first', around('first'))
      .insertBefore('b', 'before-b', around('x'))
      .insertAfter('b', 'last', around('x'));
    expect(chain.names).toEqual(['first', 'a', 'before-b', 'b', 'last']);
    expect(chain.remove('a')).toBe(true);
    expect(chain.remove('a')).toBe(false);
    expect(chain.names).toEqual(['first', 'before-b', 'b', 'last']);
  });

  test('a name that is added again moves to the end instead of running twice', () => {
    const { chain } = chainOf('a', 'b');
    chain.add('a', around('a'));
    expect(chain.names).toEqual(['b', 'a']);
  });

  test('an unknown anchor is refused with the nearest name', () => {
    const { chain } = chainOf('logging', 'b');
    expect(() => chain.insertBefore('loging', 'x', around('x'))).toThrow(
      expect.objectContaining({
        code: 'TSQ_MIDDLEWARE_UNKNOWN',
        message: expect.stringContaining('did you mean "logging"'),
      }),
    );
  });

  test('a middleware that does not call next keeps the rest from running', async () => {
    const { chain } = chainOf('a');
    chain.add('stop', async () => undefined);
    const trace: string[] = [];
    await chain.invoke(trace, async () => {
      trace.push('perform');
    });
    expect(trace).toEqual(['a', '/a']);
  });
});
