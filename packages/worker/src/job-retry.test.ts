import { inflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { type Outcome, Payload, type WorkerOptions } from '@tsq/core';
import fc from 'fast-check';
import { JobRetry, type JobRetrySettings, retryDelaySeconds } from './job-retry.js';

const nowMs = 1_795_466_562_496.5;
const error = new RangeError('boom');

function outcomeOf(
  payload: object | string | Buffer,
  workerOptions: WorkerOptions | undefined = {},
  settings: Partial<JobRetrySettings> = {},
  thrown: unknown = error,
): Outcome {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(text);
  const retry = new JobRetry({ random: () => 0, now: () => nowMs, ...settings });
  return retry.outcomeOf({ payload: Payload.parse(bytes), queue: 'popped', workerOptions }, thrown);
}

function textOf(outcome: Outcome): string {
  if (!('bytes' in outcome)) throw new Error(`the outcome is ${outcome.kind}`);
  return outcome.bytes.toString();
}

const fieldsOf = (outcome: Outcome): Record<string, unknown> => JSON.parse(textOf(outcome));
const job = (more: object = {}) => ({ class: 'A', args: [], queue: 'q', retry: true, ...more });

describe('retryDelaySeconds', () => {
  test.each([
    [0, 15, 24],
    [1, 16, 34],
    [3, 96, 132],
    [24, 331_791, 332_016],
    [-1, 16, 16],
  ])('after retry_count %i it is from %i to %i seconds', (count, least, most) => {
    expect(retryDelaySeconds(count, 0)).toBe(least);
    expect(retryDelaySeconds(count, 0.999_999)).toBe(most);
  });

  test('the jitter is a whole number for each retry so far', () => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (count, random) => {
          const jitter = retryDelaySeconds(count, random) - count ** 4 - 15;
          expect(jitter % (count + 1)).toBe(0);
          expect(jitter).toBeLessThanOrEqual(9 * (count + 1));
        },
      ),
    );
  });
});

describe('JobRetry', () => {
  test('the first failure appends its fields, and every other byte leaves as it came', () => {
    const popped =
      '{ "retry":true,"args":[1.0, 12345678901234567890,{"10":1,"2":"\\u00e9"}],"class":"A","x":1e2 }';
    expect(outcomeOf(popped)).toEqual({ kind: 'retry', bytes: expect.any(Buffer), delaySeconds: 15 });
    expect(textOf(outcomeOf(popped))).toBe(
      '{ "retry":true,"args":[1.0, 12345678901234567890,{"10":1,"2":"\\u00e9"}],"class":"A","x":1e2 ' +
        ',"queue":"popped","error_message":"boom","error_class":"RangeError"' +
        ',"failed_at":1795466562.4965,"retry_count":0}',
    );
  });

  test('a later failure says retried_at, counts up, and leaves failed_at', () => {
    const again = job({ error_message: 'old', error_class: 'Old', failed_at: 1.5, retry_count: 0 });
    const outcome = outcomeOf(again, {}, { random: () => 0.95 });
    expect(outcome).toMatchObject({ kind: 'retry', delaySeconds: 1 + 15 + 9 * 2 });
    expect(fieldsOf(outcome)).toEqual({
      ...again,
      queue: 'popped',
      error_message: 'boom',
      error_class: 'RangeError',
      retried_at: 1_795_466_562.496_5,
      retry_count: 1,
    });
  });

  test('in the dialect of Sidekiq 8 times are whole milliseconds', () => {
    const outcome = outcomeOf(job(), {}, { dialect: 'milliseconds' });
    expect(textOf(outcome)).toContain('"failed_at":1795466562496,');
  });

  test('after a retry by hand, which leaves -1, the count begins anew and failed_at stays', () => {
    expect(fieldsOf(outcomeOf(job({ failed_at: 1.5, retry_count: -1 })))).toMatchObject({
      retry_count: 0,
      failed_at: 1.5,
      retried_at: expect.any(Number),
    });
  });

  test.each<[string, object, WorkerOptions, string]>([
    ['the queue it was popped from', {}, {}, 'popped'],
    ['the retry_queue of the payload', { retry_queue: 'slow' }, { retryQueue: 'other' }, 'slow'],
    ['the retryQueue of the worker', {}, { retryQueue: 'other' }, 'other'],
    ['not an empty retry_queue', { retry_queue: '' }, {}, 'popped'],
  ])('it is retried on %s', (_name, more, options, queue) => {
    expect(fieldsOf(outcomeOf(job(more), options)).queue).toBe(queue);
  });

  describe('how often', () => {
    const last = (payload: object, options?: WorkerOptions, settings?: Partial<JobRetrySettings>) => {
      for (let count = -1; count < 60; count += 1) {
        const stored = count < 0 ? {} : { retry_count: count };
        if (outcomeOf({ ...payload, ...stored }, options, settings).kind !== 'retry') return count + 1;
      }
      return Number.POSITIVE_INFINITY;
    };

    test.each<[string, object, WorkerOptions, number]>([
      ['true: 25 retries', { retry: true }, {}, 25],
      ['a number: so many', { retry: 3 }, {}, 3],
      ['0: none', { retry: 0 }, {}, 0],
      ['less than 0: none', { retry: -2 }, {}, 0],
      ['a number in a string is only true to Ruby', { retry: '5' }, {}, 25],
      ['a float is only true to Ruby', { retry: { toJSON: () => 5.5 } }, {}, 25],
      ['absent: what the worker says', {}, { retry: 2 }, 2],
      ['null: what the worker says', { retry: null }, { retry: 2 }, 2],
      ['absent everywhere: 25', {}, {}, 25],
      ['the payload wins over the worker', { retry: 4 }, { retry: 2 }, 4],
    ])('%s', (_name, own, options, retries) => {
      expect(last({ class: 'A', args: [], ...own }, options)).toBe(retries);
    });

    test('maxRetries is a setting, for those that say true', () => {
      expect(last(job(), {}, { maxRetries: 2 })).toBe(2);
      expect(last(job({ retry: 3 }), {}, { maxRetries: 2 })).toBe(3);
    });

    test.each([
      ['not yet over', nowMs / 1000 - 59.5, 'retry'],
      ['over', nowMs / 1000 - 60.5, 'dead'],
    ])('with retry_for only the time counts: %s', (_name, failedAt, kind) => {
      const payload = job({ retry: 1, retry_for: 60, failed_at: failedAt, retry_count: 7 });
      expect(outcomeOf(payload).kind).toBe(kind);
    });
  });

  test('a retry that the payload lacked is written into it, before all other fields, as Ruby does', () => {
    const outcome = outcomeOf('{"class":"A","args":[],"queue":"q"}', { retry: 7 });
    expect(textOf(outcome)).toMatch(/^\{"class":"A","args":\[\],"queue":"popped","retry":7,"error_message"/);
    expect(fieldsOf(outcomeOf('{"class":"A","args":[],"retry":null}')).retry).toBe(true);
  });

  describe('the end', () => {
    test('out of retries it goes to the dead set, with the fields of its last failure', () => {
      const outcome = outcomeOf(job({ retry: 0 }));
      expect(outcome.kind).toBe('dead');
      expect(fieldsOf(outcome)).toMatchObject({ error_message: 'boom', retry_count: 0, queue: 'popped' });
    });

    test.each<[string, object, WorkerOptions, string]>([
      ['dead: false of the payload', { dead: false }, {}, 'discarded'],
      ['dead: false of the worker', {}, { dead: false }, 'discarded'],
      ['dead: true of the payload wins', { dead: true }, { dead: false }, 'dead'],
      ['null is nothing said', { dead: null }, { dead: false }, 'discarded'],
    ])('%s decides whether it lies there', (_name, more, options, kind) => {
      expect(outcomeOf(job({ retry: 0, ...more }), options).kind).toBe(kind);
    });

    test('retry: false discards at the first failure, as Ruby does', () => {
      expect(outcomeOf(job({ retry: false }))).toEqual({ kind: 'discarded' });
      expect(outcomeOf({ class: 'A', args: [] }, { retry: false })).toEqual({ kind: 'discarded' });
    });
  });

  describe('a class that this process does not know is never dropped', () => {
    const unknown = (payload: object) =>
      new JobRetry().outcomeOf(
        {
          payload: Payload.parse(Buffer.from(JSON.stringify(payload))),
          queue: 'q',
          workerOptions: undefined,
        },
        error,
      );

    test.each<[string, object, string]>([
      ['retry absent', {}, 'retry'],
      ['retry null', { retry: null }, 'retry'],
      ['retry true', { retry: true }, 'retry'],
      ['retry false', { retry: false }, 'dead'],
      ['out of retries, and dead false', { retry: 0, dead: false }, 'dead'],
    ])('%s', (_name, more, kind) => {
      expect(unknown({ class: 'A', args: [], ...more }).kind).toBe(kind);
    });
  });

  describe('the backtrace', () => {
    const stored = (own: object, options: WorkerOptions = {}): string[] | undefined => {
      const packed = fieldsOf(outcomeOf(job(own), options)).error_backtrace;
      return typeof packed === 'string'
        ? JSON.parse(inflateSync(Buffer.from(packed, 'base64')).toString())
        : undefined;
    };

    test('is stored when the payload or the worker asks for it, whole or so many lines', () => {
      const all = stored({ backtrace: true });
      expect(all?.length).toBeGreaterThan(3);
      expect(stored({ backtrace: 3 })).toEqual(all?.slice(0, 3));
      expect(stored({}, { backtrace: 2 })).toHaveLength(2);
      expect(stored({ backtrace: 0 })).toEqual([]);
    });

    test('is not stored otherwise', () => {
      expect(stored({})).toBeUndefined();
      expect(stored({ backtrace: null })).toBeUndefined();
      expect(stored({ backtrace: false }, { backtrace: true })).toBeUndefined();
    });
  });

  test('S5: whatever a payload holds, only the fields of the failure change', () => {
    const ours = ['queue', 'error_message', 'error_class', 'failed_at', 'retried_at', 'retry_count', 'retry'];
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()), (more, args) => {
        const popped: Record<string, unknown> = { ...more, class: 'A', args };
        const { backtrace: _1, error_backtrace: _2, retry_for: _3, ...payload } = popped;
        const outcome = outcomeOf(payload, { backtrace: false, retry: true });
        if (outcome.kind !== 'retry') return;
        const left = fieldsOf(outcome);
        for (const key of Object.keys(payload)) {
          if (ours.includes(key)) continue;
          expect(JSON.stringify(left[key])).toBe(JSON.stringify(payload[key]));
        }
      }),
    );
  });

  test('a message that breaks JSON, and none at all, leave a payload that parses', () => {
    expect(fieldsOf(outcomeOf(job(), {}, {}, new Error('"\\\n\u0000\u2028\ud800'))).error_message).toBe(
      '"\\\n\u0000\u2028\ufffd',
    );
    expect(fieldsOf(outcomeOf(job(), {}, {}, null))).toMatchObject({
      error_message: 'null was thrown',
      error_class: 'null',
    });
  });
});
