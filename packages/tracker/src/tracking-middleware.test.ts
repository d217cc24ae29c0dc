import { expect, test } from '@jest/globals';
import { type Job, type Outcome, Payload, type Settlement, silentLogger, type UnitOfWork } from '@tsq/core';
import { isTracked, type TrackingPolicy, trackingMiddleware } from './tracking-middleware.js';

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

interface Said {
  /** `tracked` of its class; undefined: the class says nothing. */
  readonly byClass?: boolean | undefined;
  /** JSON text of `tracked` in the payload. */
  readonly byPayload?: string | undefined;
}

function jobOf({ byClass, byPayload }: Said) {
  const own = byPayload === undefined ? '' : `,"tracked":${byPayload}`;
  const unit = new NotingUnit(Buffer.from(`{"class":"W","args":[],"jid":"j1"${own}}`));
  const payload = Payload.parse(unit.bytes);
  const job: Job = {
    ...{ displayClass: 'W', tags: [], locale: undefined, currentAttributes: () => undefined },
    ...{ jid: 'j1', class: 'W', queue: unit.queue, args: payload.args(), retryCount: undefined, attempt: 1 },
    ...{ signal: new AbortController().signal, stopping: new AbortController().signal },
    ...{ logger: silentLogger, payload, unit },
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

test('what perform throws passes through, and the claim is not touched for it', async () => {
  const { job, unit } = jobOf({ byClass: true });
  const failure = new RangeError('no');
  await expect(trackingMiddleware()(job, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(unit.noted).toEqual([]);
});
