import { describe, expect, test } from '@jest/globals';
import { QueueOrder, queueMode } from './queue-order.js';

const queue = (name: string, weight = 0) => ({ name, weight });

describe('queueMode', () => {
  test('queues without weights are strict, as `-q a -q b` is in Sidekiq', () => {
    expect(queueMode([queue('a'), queue('b')])).toBe('strict');
  });
  test('weights that are all 1 are random', () => {
    expect(queueMode([queue('a', 1), queue('b', 1)])).toBe('random');
  });
  test('one weight makes all weighted', () => {
    expect(queueMode([queue('a', 2), queue('b')])).toBe('weighted');
    expect(queueMode([queue('a', 1), queue('b')])).toBe('weighted');
  });
});

describe('QueueOrder', () => {
  test('strict is the order given, each time, with doubles dropped', () => {
    const order = new QueueOrder([queue('b'), queue('a'), queue('b')]);
    expect([order.next(), order.next()]).toEqual([
      ['b', 'a'],
      ['b', 'a'],
    ]);
  });

  test('each order holds each queue once', () => {
    const order = new QueueOrder([queue('a', 5), queue('b', 3), queue('c', 1), queue('d')]);
    for (let draw = 0; draw < 200; draw += 1) {
      expect([...order.next()].toSorted()).toEqual(['a', 'b', 'c', 'd']);
    }
  });

  test("orders come as often as from Sidekiq's shuffle of names repeated by weight", () => {
    const random = seeded(7);
    const order = new QueueOrder([queue('a', 3), queue('b', 2), queue('c')], random);
    const draws = 30_000;
    const drawn = frequencies(draws, () => order.next().join(''));
    const shuffled = frequencies(draws, () => uniqueShuffle(['a', 'a', 'a', 'b', 'b', 'c'], random).join(''));
    expect(drawn.size).toBe(6);
    for (const [line, share] of shuffled) expect(Math.abs(share - (drawn.get(line) ?? 0))).toBeLessThan(0.02);
  });

  test('a queue that stands twice counts with the sum of its weights', () => {
    const random = seeded(11);
    const order = new QueueOrder([queue('a', 2), queue('b', 1), queue('a', 1)], random);
    expect([order.mode, order.names]).toEqual(['weighted', ['a', 'b']]);
    const first = frequencies(30_000, () => order.next()[0] ?? '');
    expect(Math.abs((first.get('a') ?? 0) - 3 / 4)).toBeLessThan(0.02);
  });

  test('a random number at the very end of its range still draws a queue', () => {
    const order = new QueueOrder([queue('a', 1), queue('b', 1)], () => 1 - Number.EPSILON / 2);
    expect([...order.next()].toSorted()).toEqual(['a', 'b']);
  });

  test.each([
    ['no queue', []],
    ['an empty name', [queue('')]],
    ['a private list of Sidekiq Pro', [queue('sq|host:1|a')]],
    ['a negative weight', [queue('a', -1)]],
    ['half a weight', [queue('a', 0.5)]],
  ])('refuses %s', (_what, queues) => {
    expect(() => new QueueOrder(queues)).toThrow(expect.objectContaining({ code: 'TSQ_CONFIG_INVALID' }));
  });
});

function frequencies(draws: number, draw: () => string): Map<string, number> {
  const shares = new Map<string, number>();
  for (let done = 0; done < draws; done += 1) {
    const line = draw();
    shares.set(line, (shares.get(line) ?? 0) + 1 / draws);
  }
  return shares;
}

/** What Sidekiq does, in its own way. */
function uniqueShuffle(names: readonly string[], random: () => number): string[] {
  const keyed = names.map((name) => ({ name, key: random() })).toSorted((a, b) => a.key - b.key);
  return [...new Set(keyed.map(({ name }) => name))];
}

/** Park and Miller's generator: the same numbers in each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return (state - 1) / 2_147_483_646;
  };
}
