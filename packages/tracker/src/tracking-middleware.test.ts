import { describe, expect, test } from '@jest/globals';
import {
  type Job,
  type Logger,
  type Outcome,
  Payload,
  type Settlement,
  silentLogger,
  type UnitOfWork,
} from '@tsq/core';
import { RecordingLogger } from '@tsq/core/test-support';
import { trackingMiddleware } from './tracking-middleware.js';
import { isTracked, type TrackingPolicy } from './tracking-policy.js';

/** Notes what is asked of it, in order, together with what `perform` notes. */
class NotingUnit implements UnitOfWork {
  readonly queue = 'default';
  readonly noted: string[] = [];
  whenLost: UnitOfWork['whenLost'];

  constructor(readonly bytes: Buffer) {}

  async settle(outcome: Outcome): Promise<Settlement> {
    this.noted.push(outcome.kind);
    return 'settled';
  }

  release(): void {
    this.noted.push('release');
  }
}

type Predicate = NonNullable<TrackingPolicy['predicates']>[number];

interface Said {
  /** `tracked` of its class; undefined: the class says nothing. */
  readonly byClass?: boolean | undefined;
  /** JSON text of `tracked` in the payload. */
  readonly byPayload?: string | undefined;
  /** More of the payload: `,"assured_jobs":true`. */
  readonly more?: string;
}

function jobOf({ byClass, byPayload, more = '' }: Said, logger: Logger = silentLogger) {
  const own = byPayload === undefined ? '' : `,"tracked":${byPayload}`;
  const unit = new NotingUnit(Buffer.from(`{"class":"W","args":[],"jid":"j1"${own}${more}}`));
  const payload = Payload.parse(unit.bytes);
  const job: Job = {
    ...{ displayClass: 'W', tags: [], locale: undefined, currentAttributes: () => undefined },
    ...{ jid: 'j1', class: 'W', queue: unit.queue, args: payload.args(), retryCount: undefined, attempt: 1 },
    ...{ signal: new AbortController().signal, stopping: new AbortController().signal },
    ...{ logger, payload, unit },
    options: byClass === undefined ? {} : { tracked: byClass },
  };
  return { job, unit };
}

/** What the unit was told, around a `perform` that notes that it ran. */
async function notedOf(said: Said, policy?: TrackingPolicy): Promise<readonly string[]> {
  const { job, unit } = jobOf(said);
  await trackingMiddleware(policy)(job, async () => {
    unit.noted.push('perform');
  });
  expect(isTracked(job, policy)).toBe(!unit.noted.includes('release'));
  return unit.noted;
}

const kept = ['perform'];
const released = ['release', 'perform'];

test('S1: a tracked class keeps its claim while perform runs', async () => {
  expect(await notedOf({ byClass: true })).toEqual(kept);
});

test.each([false, undefined])(
  'a class with tracked: %s releases its claim before perform',
  async (byClass) => {
    expect(await notedOf({ byClass })).toEqual(released);
  },
);

test.each([
  [true, 'false', released],
  [false, 'true', kept],
  [undefined, 'true', kept],
])(
  'of a class with tracked: %s, a payload with "tracked":%s has the last word',
  async (byClass, byPayload, noted) => {
    expect(await notedOf({ byClass, byPayload })).toEqual(noted);
  },
);

test.each(['null', '1', '"true"', '"false"', '{}'])(
  'a payload with "tracked":%s says nothing: its class counts',
  async (byPayload) => {
    expect(await notedOf({ byClass: true, byPayload })).toEqual(kept);
    expect(await notedOf({ byClass: false, byPayload })).toEqual(released);
  },
);

test('of a payload that says tracked twice the last counts', async () => {
  expect(await notedOf({ byPayload: 'true,"tracked":false' })).toEqual(released);
  expect(await notedOf({ byPayload: 'false,"tracked":true' })).toEqual(kept);
});

test('all: every job keeps its claim, whatever its class and its payload say', async () => {
  expect(await notedOf({ byClass: false, byPayload: 'false' }, { all: true })).toEqual(kept);
  expect(await notedOf({}, { all: true })).toEqual(kept);
  expect(await notedOf({}, { all: false })).toEqual(released);
});

test.each(['assured_jobs', 'processing'])(
  'a Ruby class with the option %s of the tracker gem keeps its claim; only true counts',
  async (option) => {
    expect(await notedOf({ more: `,"${option}":true` })).toEqual(kept);
    expect(await notedOf({ more: `,"${option}":true`, byClass: false })).toEqual(kept);
    expect(await notedOf({ more: `,"${option}":true`, byPayload: 'false' })).toEqual(released);
    expect(await notedOf({ more: `,"${option}":false`, byClass: true })).toEqual(kept);
    expect(await notedOf({ more: `,"${option}":"true"` })).toEqual(released);
  },
);

describe('by queue', () => {
  const policy = { queues: new Set(['default']) };

  test('the jobs of a tracked queue keep their claims, those of others do not', async () => {
    expect(await notedOf({}, policy)).toEqual(kept);
    expect(await notedOf({}, { queues: new Set(['other']) })).toEqual(released);
  });

  test('the job, its class and a predicate have more to say than the queue', async () => {
    expect(await notedOf({ byPayload: 'false' }, policy)).toEqual(released);
    expect(await notedOf({ byClass: false }, policy)).toEqual(released);
    expect(await notedOf({}, { ...policy, predicates: [() => false] })).toEqual(released);
  });
});

describe('by a predicate', () => {
  const by = (...predicates: Predicate[]): TrackingPolicy => ({ predicates });

  test('the first that has an opinion counts, and sees the job', async () => {
    expect(
      await notedOf(
        {},
        by(({ jid }) => jid === 'j1'),
      ),
    ).toEqual(kept);
    expect(
      await notedOf(
        {},
        by(({ jid }) => jid === 'j2'),
      ),
    ).toEqual(released);
    expect(
      await notedOf(
        {},
        by(
          () => undefined,
          () => true,
          () => false,
        ),
      ),
    ).toEqual(kept);
    expect(
      await notedOf(
        {},
        by(() => undefined),
      ),
    ).toEqual(released);
  });

  test('the job and its class have more to say: it is not even asked', async () => {
    const asked: string[] = [];
    const policy = by(({ jid }) => {
      asked.push(jid);
      return false;
    });
    expect(await notedOf({ byPayload: 'true' }, policy)).toEqual(kept);
    expect(await notedOf({ byClass: true }, policy)).toEqual(kept);
    expect(
      await notedOf(
        { byClass: false },
        by(() => true),
      ),
    ).toEqual(released);
    expect(asked).toEqual([]);
  });

  const failing: [how: string, predicate: Predicate][] = [
    [
      'throws',
      () => {
        throw new RangeError('no amount');
      },
    ],
    ['answers what is no answer', () => 'yes' as unknown as boolean],
    ['is async', (async () => false) as unknown as Predicate],
    [
      'is async and rejects',
      (async () => {
        throw new RangeError('later');
      }) as unknown as Predicate,
    ],
  ];

  test.each(failing)('one that %s is told of, and the job is tracked', async (_how, predicate) => {
    const told: string[] = [];
    const policy = {
      ...by(predicate, () => false),
      onPredicateFailure: ({ jid }: Job) => void told.push(jid),
    };
    expect(await notedOf({}, policy)).toEqual(kept);
    expect(told.length).toBeGreaterThan(0);
  });

  test('one that fails for every job writes one line, not one for each', async () => {
    const logger = new RecordingLogger();
    const told: string[] = [];
    const middleware = trackingMiddleware({
      predicates: [
        () => {
          throw new RangeError('no amount');
        },
      ],
      onPredicateFailure: ({ jid }) => void told.push(jid),
    });
    for (let run = 0; run < 50; run += 1) await middleware(jobOf({}, logger).job, async () => undefined);
    expect(logger.matching('error', 'a tracking predicate failed')).toHaveLength(1);
    expect(told).toHaveLength(50);
  });
});

test('what perform throws passes through, and the claim is not touched for it', async () => {
  const { job, unit } = jobOf({ byClass: true });
  const failure = new RangeError('no');
  await expect(trackingMiddleware()(job, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(unit.noted).toEqual([]);
});
