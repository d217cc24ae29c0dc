/** What the compiler says about `enqueue`: this file must compile, and each expected error must be one. */
import { expect, test } from '@jest/globals';
import type { Client } from './client.js';
import type { JsonValue } from './json.js';
import type { ArgsOf, FunctionWorker } from './worker-contract.js';

class ResizeImage {
  async perform(_url: string, _width: number, _format?: 'png' | 'webp'): Promise<number> {
    return 0;
  }
}

class Sum {
  perform(_name: string, ..._numbers: (number | bigint)[]): number {
    return 0;
  }
}

class Nothing {
  perform(): undefined {
    return undefined;
  }
}

class NoPerform {
  run(): undefined {
    return undefined;
  }
}

interface Order {
  id: number;
  note?: string;
}

class PlaceOrder {
  perform(_order: Order): boolean {
    return true;
  }
}

interface Category {
  readonly name: string;
  readonly children: readonly Category[];
}

interface Dated {
  id: number;
  at: Date;
}

type Point = { x: number; label?: string };

declare const order: Order;
declare const orders: readonly Order[];
declare const category: Category;
declare const point: Point;
declare const dated: Dated;
declare const unknown: unknown;
declare const jsonValues: readonly JsonValue[];
declare const empty: readonly JsonValue[] | undefined;
declare const sendMail: FunctionWorker<[to: string, copies: number]>;
declare const readonlyArgs: FunctionWorker<readonly [string]>;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function sure<T extends true>(): T | undefined {
  return undefined;
}

/** Never called. */
async function typed(client: Client): Promise<void> {
  sure<
    Same<ArgsOf<typeof ResizeImage>, [_url: string, _width: number, _format?: 'png' | 'webp' | undefined]>
  >();
  sure<Same<ArgsOf<typeof sendMail>, [to: string, copies: number]>>();
  sure<Same<ArgsOf<typeof Nothing>, []>>();

  await client.enqueue(ResizeImage, 'https://x', 640);
  await client.enqueue(ResizeImage, 'https://x', 640, 'png');
  await client.enqueueIn(5, ResizeImage, 'https://x', 640);
  await client.enqueueAt(new Date(), ResizeImage, 'https://x', 640);
  await client.with({ queue: 'low' }).with({ retry: 3 }).enqueue(ResizeImage, 'https://x', 640);
  // @ts-expect-error: width is missing
  await client.enqueue(ResizeImage, 'https://x');
  // @ts-expect-error: width is a number
  await client.enqueue(ResizeImage, 'https://x', '640');
  // @ts-expect-error: no such format
  await client.enqueue(ResizeImage, 'https://x', 640, 'gif');
  // @ts-expect-error: one too many
  await client.enqueue(ResizeImage, 'https://x', 640, 'png', 1);
  // @ts-expect-error: the same through enqueueIn
  await client.enqueueIn(5, ResizeImage, 640);
  // @ts-expect-error: the same through enqueueAt
  await client.enqueueAt(5, ResizeImage, 640);
  // @ts-expect-error: the same through with
  await client.with({ queue: 'low' }).enqueue(ResizeImage, 640);
  // @ts-expect-error: an instance is no class
  await client.enqueue(new ResizeImage(), 'https://x', 640);

  await client.enqueue(Sum, 'a', 1, 2n, 3);
  // @ts-expect-error: a string among the numbers
  await client.enqueue(Sum, 'a', 1, 'b');
  await client.enqueue(Nothing);
  // @ts-expect-error: it takes nothing
  await client.enqueue(Nothing, 1);
  await client.enqueue(PlaceOrder, { id: 1 });
  // @ts-expect-error: an order has an id
  await client.enqueue(PlaceOrder, { note: 'x' });
  // @ts-expect-error: no perform
  await client.enqueue(NoPerform);

  await client.enqueue(sendMail, 'a@b', 1);
  await client.enqueue(readonlyArgs, 'a');
  // @ts-expect-error: copies is missing
  await client.enqueue(sendMail, 'a@b');

  await client.enqueue('Billing::Charge', [42, 2n ** 64n, { nested: [null] }]);
  await client.enqueue('Billing::Charge');
  // @ts-expect-error: args of a name stand in one array
  await client.enqueue('Billing::Charge', 42);
  // @ts-expect-error: a Date is no JSON
  await client.enqueue('Billing::Charge', [new Date()]);
  await client.enqueueIn(5, 'Billing::Charge', [42]);
  // @ts-expect-error: the same through enqueueIn
  await client.enqueueIn(5, 'Billing::Charge', [new Date()]);
  // @ts-expect-error: the same through enqueueAt
  await client.enqueueAt(5, 'Billing::Charge', [new Date()]);

  await client.enqueue('Orders::Place', [order]);
  await client.enqueue('Orders::Place', [order, { order, all: [order] }, category, point]);
  await client.enqueueBulk('Orders::Place', [[order], [category, 1]]);
  await client.enqueueBulk(
    'Orders::Place',
    orders.map((one) => [one.id, one]),
  );
  // @ts-expect-error: undefined is no JSON
  await client.enqueue('Orders::Place', [undefined]);
  // @ts-expect-error: a symbol is none
  await client.enqueue('Orders::Place', [Symbol('x')]);
  // @ts-expect-error: a function is none
  await client.enqueue('Orders::Place', [() => 1]);
  // @ts-expect-error: a Map is none
  await client.enqueue('Orders::Place', [new Map()]);
  // @ts-expect-error: an interface with a Date in it is none
  await client.enqueue('Orders::Place', [dated]);
  await client.enqueue('Orders::Place', jsonValues);
  await client.enqueue('Orders::Place', empty);
  // @ts-expect-error: deep down, either
  await client.enqueue('Orders::Place', [{ list: [{ dated }] }]);
  // @ts-expect-error: an object with a method is none
  await client.enqueue('Orders::Place', [new ResizeImage()]);
  // @ts-expect-error: what may be anything is to be looked at first
  await client.enqueue('Orders::Place', [unknown]);
  // @ts-expect-error: the same in a bulk
  await client.enqueueBulk('Orders::Place', [[order], [dated]]);

  await client.enqueueBulk(ResizeImage, [
    ['a', 1],
    ['b', 2, 'webp'],
  ]);
  await client.enqueueBulk('Billing::Charge', [[1], []], { batchSize: 100 });
  // @ts-expect-error: the second job lacks its width
  await client.enqueueBulk(ResizeImage, [['a', 1], ['b']]);
  // @ts-expect-error: no such option
  client.with({ qeue: 'low' });
}

test('the args of enqueue are those of perform', () => {
  expect(typed).toBeInstanceOf(Function);
});
