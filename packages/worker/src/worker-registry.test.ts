import { describe, expect, test } from '@jest/globals';
import { type FunctionWorker, type Job, type WorkerClass, workerDefinition } from '@tsq/core';
import { z } from 'zod';
import { defineWorker } from './define-worker.js';
import { Worker } from './worker-decorator.js';
import { WorkerRegistry } from './worker-registry.js';

const job = { jid: 'j1' } as Job;

@Worker({ name: 'Images::Resize' })
class ResizeImage {
  declare readonly job: Job;
  perform(...args: unknown[]): unknown {
    return { args, job: this.job, keys: Object.keys(this), instance: this };
  }
}

const charge = defineWorker(
  'ChargeCard',
  { args: z.tuple([z.int(), z.object({ due: z.string() })]) },
  (id) => id,
);

describe('WorkerRegistry', () => {
  test('finds classes and functions by their names on the wire', () => {
    const registry = new WorkerRegistry([ResizeImage]).add(charge);
    expect(registry.names).toEqual(['Images::Resize', 'ChargeCard']);
    expect(registry.find('ChargeCard').perform(job, [7])).toBe(7);
  });

  test('each job gets an instance of its own, with the job on it where no copy takes it along', () => {
    const worker = new WorkerRegistry([ResizeImage]).find('Images::Resize');
    const first = worker.perform(job, [1, 'x']);
    expect(first).toMatchObject({ args: [1, 'x'], job, keys: [] });
    const second = worker.perform(job, []);
    expect(Reflect.get(Object(second), 'instance')).not.toBe(Reflect.get(Object(first), 'instance'));
  });

  test.each<[string, WorkerClass, unknown]>([
    [
      'a field',
      class {
        job = 'mine';
        perform() {
          return this.job;
        }
      },
      'mine',
    ],
    [
      'a getter',
      class {
        get job() {
          return undefined;
        }
        perform() {
          return this.job;
        }
      },
      undefined,
    ],
    [
      'a frozen instance',
      class {
        constructor() {
          Object.freeze(this);
        }
        perform() {
          return 'ran';
        }
      },
      'ran',
    ],
    [
      'a field without a value',
      class {
        job?: Job;
        perform() {
          return this.job;
        }
      },
      job,
    ],
  ])('a class that has %s called job keeps it', (_name, Class, result) => {
    Worker({ name: 'Own' })(Class);
    expect(new WorkerRegistry([Class]).find('Own').perform(job, [])).toBe(result);
  });

  test('the same worker may be added again, another of the same name may not', () => {
    const registry = new WorkerRegistry([ResizeImage, ResizeImage]);
    const other = defineWorker('Images::Resize', () => undefined);
    expect(() => registry.add(other)).toThrow(
      expect.objectContaining({
        code: 'TSQ_WORKER_DUPLICATE',
        message: expect.stringMatching(/class ResizeImage and defineWorker\("Images::Resize"\)/),
      }),
    );
    expect(registry.names).toEqual(['Images::Resize']);
  });

  test('an unknown name is refused with the nearest one', () => {
    const registry = new WorkerRegistry([ResizeImage, charge]);
    expect(() => registry.find('ChargeCrad')).toThrow(
      expect.objectContaining({
        code: 'TSQ_WORKER_UNKNOWN',
        message: 'this process has no worker "ChargeCrad"; did you mean "ChargeCard"?',
      }),
    );
    expect(() => registry.find('constructor')).toThrow(
      expect.objectContaining({ code: 'TSQ_WORKER_UNKNOWN' }),
    );
  });

  test('what is no worker is refused', () => {
    class Child extends ResizeImage {}
    const hollow: FunctionWorker = { [workerDefinition]: { name: 'Hollow', options: {} } };
    for (const [worker, message] of [
      [Child, 'a subclass does not inherit @Worker'],
      [hollow, 'worker "Hollow": expected what defineWorker returned'],
    ] as const) {
      expect(() => new WorkerRegistry([worker])).toThrow(
        expect.objectContaining({ code: 'TSQ_WORKER_INVALID', message: expect.stringContaining(message) }),
      );
    }
  });
});

describe('checkArgs', () => {
  const rejected = (message: string | RegExp) =>
    expect.objectContaining({ code: 'TSQ_ARGS_REJECTED', message: expect.stringMatching(message) });
  const check = (worker: FunctionWorker, args: readonly never[] | readonly unknown[]) =>
    new WorkerRegistry([worker]).find('W').checkArgs(args as never);

  test('without a schema args pass as they are', () => {
    const args = [1, 'x'];
    expect(
      check(
        defineWorker('W', () => undefined),
        args,
      ),
    ).toBe(args);
  });

  test('what passes is the output of the schema', () => {
    const due = z.iso.datetime().transform((text) => new Date(text));
    const worker = defineWorker('W', { args: z.tuple([due, z.int().default(3)]) }, () => undefined);
    expect(check(worker, ['2026-01-01T00:00:00Z'])).toEqual([new Date('2026-01-01T00:00:00Z'), 3]);
  });

  const schema = z.tuple([z.url(), z.int(), z.object({ due: z.string() })]);
  const worker = defineWorker('W', { args: schema }, () => undefined);

  test.each<[string, unknown[], RegExp]>([
    ['a wrong type', ['http://x', '640', { due: '' }], /^W: args\[1\]: expected number, got string "640"$/],
    [
      'a wrong type inside',
      ['http://x', 1, { due: 5n }],
      /^W: args\[2\]\.due: expected string, got bigint 5n$/,
    ],
    ['a wrong format', ['x', 1, { due: '' }], /^W: args\[0\]: Invalid URL, got string "x"$/],
    ['too many', ['http://x', 1, { due: '' }, 4], /^W: args: .*, got an array of 4$/],
    ['two faults', [1, 'x', { due: '' }], /args\[0\]: .*; args\[1\]: /],
  ])('says where and what: %s', (_name, args, message) => {
    expect(() => check(worker, args)).toThrow(rejected(message));
  });

  test('too few arguments: the first that is missing is named', () => {
    expect(() => check(worker, ['http://x'])).toThrow(rejected(/^W: args/));
  });

  test('a long value and a long list of faults are shortened', () => {
    const many = defineWorker('W', { args: z.array(z.int()) }, () => undefined);
    expect(() => check(many, Array(10).fill('y'.repeat(500)))).toThrow(rejected(/^.{0,400}; and 7 more$/));
  });

  test('a schema that throws, or that would have to be waited for, rejects the args', () => {
    const throwing = z.array(z.any()).refine(() => {
      throw new Error('no database here');
    });
    const slow = z.array(z.any()).refine(async () => true);
    expect(() =>
      check(
        defineWorker('W', { args: throwing }, () => undefined),
        [],
      ),
    ).toThrow(rejected('no database here'));
    expect(() =>
      check(
        defineWorker('W', { args: slow }, () => undefined),
        [],
      ),
    ).toThrow(rejected('synchronous'));
  });
});
