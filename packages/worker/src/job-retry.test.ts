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
): Promise<Outcome> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(text);
  const retry = new JobRetry({ random: () => 0, now: () => nowMs, ...settings }, { nowMs: () => nowMs });
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
    [1, 16, 35],
    [3, 96, 135],
    [24, 331_791, 332_040],
    [-1, 16, 16],
    [-3, 96, 96],
  ])('after retry_count %i it is from %i to %i seconds', (count, least, most) => {
    expect(retryDelaySeconds(count, 0)).toBe(least);
    expect(retryDelaySeconds(count, 0.999_999)).toBe(most);
  });

  test('the jitter is any whole second of a span that grows with each retry, as in Sidekiq 8', () => {
    const drawn = (count: number) =>
      new Set(Array.from({ length: 1_000 }, (_, i) => retryDelaySeconds(count, i / 1_000) - count ** 4 - 15));
    expect([...drawn(0)]).toEqual(Array.from({ length: 10 }, (_, i) => i));
    expect([...drawn(3)]).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });
});

describe('JobRetry', () => {
  test('the first failure appends its fields, and every other byte leaves as it came', async () => {
    const popped =
      '{ "retry":true,"args":[1.0, 12345678901234567890,{"10":1,"2":"\\u00e9"}],"class":"A","x":1e2 }';
    expect(await outcomeOf(popped)).toEqual({ kind: 'retry', bytes: expect.any(Buffer), delaySeconds: 15 });
    expect(textOf(await outcomeOf(popped))).toBe(
      '{ "retry":true,"args":[1.0, 12345678901234567890,{"10":1,"2":"\\u00e9"}],"class":"A","x":1e2 ' +
        ',"queue":"popped","error_message":"boom","error_class":"RangeError"' +
        ',"failed_at":1795466562.4965,"retry_count":0}',
    );
  });

  test('a later failure says retried_at, counts up, and leaves failed_at', async () => {
    const again = job({ error_message: 'old', error_class: 'Old', failed_at: 1.5, retry_count: 0 });
    const outcome = await outcomeOf(again, {}, { random: () => 0.96 });
    expect(outcome).toMatchObject({ kind: 'retry', delaySeconds: 1 + 15 + 19 });
    expect(fieldsOf(outcome)).toEqual({
      ...again,
      queue: 'popped',
      error_message: 'boom',
      error_class: 'RangeError',
      retried_at: 1_795_466_562.496_5,
      retry_count: 1,
    });
  });

  test('in the dialect of Sidekiq 8 times are whole milliseconds', async () => {
    const outcome = await outcomeOf(job(), {}, { dialect: 'milliseconds' });
    expect(textOf(outcome)).toContain('"failed_at":1795466562496,');
  });

  test('after a retry by hand, which leaves -1, the count begins anew and failed_at stays', async () => {
    expect(fieldsOf(await outcomeOf(job({ failed_at: 1.5, retry_count: -1 })))).toMatchObject({
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
  ])('it is retried on %s', async (_name, more, options, queue) => {
    expect(fieldsOf(await outcomeOf(job(more), options)).queue).toBe(queue);
  });

  describe('how often', () => {
    const last = async (payload: object, options?: WorkerOptions, settings?: Partial<JobRetrySettings>) => {
      for (let count = -1; count < 60; count += 1) {
        const stored = count < 0 ? {} : { retry_count: count };
        const { kind } = await outcomeOf({ ...payload, ...stored }, options, settings);
        if (kind !== 'retry') return count + 1;
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
    ])('%s', async (_name, own, options, retries) => {
      expect(await last({ class: 'A', args: [], ...own }, options)).toBe(retries);
    });

    test('maxRetries is a setting, for those that say true', async () => {
      expect(await last(job(), {}, { maxRetries: 2 })).toBe(2);
      expect(await last(job({ retry: 3 }), {}, { maxRetries: 2 })).toBe(3);
    });

    describe('with retry_for', () => {
      const agoSeconds = (seconds: number) => nowMs / 1_000 - seconds;
      const kindOf = async (more: object, options?: WorkerOptions, settings?: Partial<JobRetrySettings>) =>
        (await outcomeOf(job(more), options, settings)).kind;

      test.each<[string, object, string]>([
        ['not yet over', { failed_at: agoSeconds(59.5) }, 'retry'],
        ['over', { failed_at: agoSeconds(60.5) }, 'dead'],
        ['over, in milliseconds', { failed_at: nowMs - 60_500.5 }, 'dead'],
        ['not yet over, in milliseconds', { failed_at: Math.round(nowMs - 59_000) }, 'retry'],
        ['not yet over, in whole seconds', { failed_at: Math.round(agoSeconds(50)) }, 'retry'],
        ['a fraction', { retry_for: 60.7, failed_at: agoSeconds(60.5) }, 'retry'],
      ])('only the time counts, in whichever dialect it was written: %s', async (_name, more, kind) => {
        const dialect = JSON.stringify(more).includes('.') ? {} : { dialect: 'milliseconds' as const };
        expect(await kindOf({ retry: 1, retry_for: 60, retry_count: 7, ...more }, {}, dialect)).toBe(kind);
      });

      test('the first failure begins the time, and is never the last, whatever the count', async () => {
        expect(await kindOf({ retry: 0, retry_for: 0 })).toBe('retry');
      });

      test('a failed_at without a count is that of a refusal, and begins no time', async () => {
        const outcome = await outcomeOf(job({ retry_for: 60, failed_at: agoSeconds(3_600) }));
        expect(outcome.kind).toBe('retry');
        expect(fieldsOf(outcome).failed_at).toBe(nowMs / 1_000);
      });

      test('up to Sidekiq 8.0, by setting, the count ends it too', async () => {
        const settings = { retryForRule: 'time-or-count' } as const;
        const more = { retry: 2, retry_for: 60, failed_at: agoSeconds(1) };
        expect(await kindOf({ ...more, retry_count: 0 }, {}, settings)).toBe('retry');
        expect(await kindOf({ ...more, retry_count: 1 }, {}, settings)).toBe('dead');
        expect(await kindOf({ ...more, failed_at: agoSeconds(61), retry_count: 0 }, {}, settings)).toBe(
          'dead',
        );
      });

      test('of a failed_at that nobody can read, the count does', async () => {
        const more = { retry: 2, retry_for: 60, failed_at: 'yesterday' };
        expect(await kindOf({ ...more, retry_count: 0 })).toBe('retry');
        expect(await kindOf({ ...more, retry_count: 1 })).toBe('dead');
      });

      test('the worker says it for jobs that do not say it themselves', async () => {
        const more = { retry: 1, retry_count: 7, failed_at: agoSeconds(30) };
        expect(await kindOf(more, { retryFor: 60 })).toBe('retry');
        expect(await kindOf(more, { retryFor: 20 })).toBe('dead');
        expect(await kindOf({ ...more, retry_for: 20 }, { retryFor: 60 })).toBe('dead');
      });

      test("S6: the clock that is asked decides and stamps, not this host's", async () => {
        const clock = { nowMs: async () => nowMs + 100_000 };
        const retry = new JobRetry({ now: () => nowMs }, clock);
        const outcome = async (more: object) => {
          const payload = Payload.parse(Buffer.from(JSON.stringify(job({ retry_for: 60, ...more }))));
          return await retry.outcomeOf({ payload, queue: 'q', workerOptions: {} }, error);
        };
        expect(fieldsOf(await outcome({})).failed_at).toBe((nowMs + 100_000) / 1_000);
        expect((await outcome({ failed_at: agoSeconds(1), retry_count: 0 })).kind).toBe('dead');
      });
    });
  });

  test('a retry that the payload lacked is written into it, before all other fields, as Ruby does', async () => {
    const outcome = await outcomeOf('{"class":"A","args":[],"queue":"q"}', { retry: 7 });
    expect(textOf(outcome)).toMatch(/^\{"class":"A","args":\[\],"queue":"popped","retry":7,"error_message"/);
    expect(fieldsOf(await outcomeOf('{"class":"A","args":[],"retry":null}')).retry).toBe(true);
  });

  describe('the end', () => {
    test('out of retries it goes to the dead set, with the fields of its last failure', async () => {
      const outcome = await outcomeOf(job({ retry: 0 }));
      expect(outcome.kind).toBe('dead');
      expect(fieldsOf(outcome)).toMatchObject({ error_message: 'boom', retry_count: 0, queue: 'popped' });
    });

    test.each<[string, object, WorkerOptions, string]>([
      ['dead: false of the payload', { dead: false }, {}, 'discarded'],
      ['dead: false of the worker', {}, { dead: false }, 'discarded'],
      ['dead: true of the payload wins', { dead: true }, { dead: false }, 'dead'],
      ['null is nothing said', { dead: null }, { dead: false }, 'discarded'],
    ])('%s decides whether it lies there', async (_name, more, options, kind) => {
      expect((await outcomeOf(job({ retry: 0, ...more }), options)).kind).toBe(kind);
    });

    test('retry: false discards at the first failure, as Ruby does', async () => {
      expect(await outcomeOf(job({ retry: false }))).toEqual({ kind: 'discarded' });
      expect(await outcomeOf({ class: 'A', args: [] }, { retry: false })).toEqual({ kind: 'discarded' });
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
    ])('%s', async (_name, more, kind) => {
      expect((await unknown({ class: 'A', args: [], ...more })).kind).toBe(kind);
    });
  });

  describe('the backtrace', () => {
    const stored = async (own: object, options: WorkerOptions = {}): Promise<string[] | undefined> => {
      const packed = fieldsOf(await outcomeOf(job(own), options)).error_backtrace;
      return typeof packed === 'string'
        ? JSON.parse(inflateSync(Buffer.from(packed, 'base64')).toString())
        : undefined;
    };

    test('is stored when the payload or the worker asks for it, whole or so many lines', async () => {
      const all = await stored({ backtrace: true });
      expect(all?.length).toBeGreaterThan(3);
      expect(await stored({ backtrace: 3 })).toEqual(all?.slice(0, 3));
      expect(await stored({}, { backtrace: 2 })).toHaveLength(2);
      expect(await stored({ backtrace: 0 })).toEqual([]);
    });

    test('is not stored otherwise', async () => {
      expect(await stored({})).toBeUndefined();
      expect(await stored({ backtrace: null })).toBeUndefined();
      expect(await stored({ backtrace: false }, { backtrace: true })).toBeUndefined();
    });
  });

  test('S5: whatever a payload holds, only the fields of the failure change', async () => {
    const ours = ['queue', 'error_message', 'error_class', 'failed_at', 'retried_at', 'retry_count', 'retry'];
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.array(fc.jsonValue()),
        async (more, args) => {
          const popped: Record<string, unknown> = { ...more, class: 'A', args };
          const { backtrace: _1, error_backtrace: _2, retry_for: _3, ...payload } = popped;
          const outcome = await outcomeOf(payload, { backtrace: false, retry: true });
          if (outcome.kind !== 'retry') return;
          const left = fieldsOf(outcome);
          for (const key of Object.keys(payload)) {
            if (ours.includes(key)) continue;
            expect(JSON.stringify(left[key])).toBe(JSON.stringify(payload[key]));
          }
        },
      ),
    );
  });

  test('a message that breaks JSON, and none at all, leave a payload that parses', async () => {
    expect(fieldsOf(await outcomeOf(job(), {}, {}, new Error('"\\\n\u0000\u2028\ud800'))).error_message).toBe(
      '"\\\n\u0000\u2028\ufffd',
    );
    expect(fieldsOf(await outcomeOf(job(), {}, {}, null))).toMatchObject({
      error_message: 'null was thrown',
      error_class: 'null',
    });
  });
});
