/** The checker, on histories made by hand: of each rule one that breaks it, and beside it one that a fault explains. */
import { describe, expect, test } from '@jest/globals';
import type { FaultEvent, HistoryEvent, HistoryLine } from '../history/line.js';
import type { FinalState } from '../stage/final-state.js';
import { type CheckSettings, checkHistory } from './check-history.js';

const nothing: FinalState = { jobs: [], keys: [] };
const second = 1_000_000;

/** Two processes, an instance each. */
const a = { pid: 11, owner: 'web-11-aa' };
const b = { pid: 22, owner: 'web-22-bb' };
type Process = typeof a;

/** A history that is told event by event, a hundredth of a second apart, or after a `pause`. */
class Told {
  readonly lines: HistoryLine[] = [];
  private now = 100 * second;
  private batch = 0;
  private call = 0;

  constructor() {
    for (const { pid, owner } of [a, b]) this.say(pid, { event: 'registered', owner });
  }

  say(pid: number, event: HistoryEvent): this {
    this.now += second / 100;
    this.lines.push({ at: this.now, n: this.lines.length, pid, ...event });
    return this;
  }

  pause(seconds: number): this {
    this.now += seconds * second;
    return this;
  }

  fault(kind: FaultEvent['kind'], target?: number, since?: number): this {
    return this.say(1, { event: 'fault', kind, target, since });
  }

  enq(tracked = true, outcome: 'acknowledged' | 'unknown' = 'acknowledged'): this {
    return this.say(1, { event: 'enq', jid: 'j', outcome, sentAt: this.now, tracked, args: 'args' });
  }

  claim({ pid, owner }: Process, hash = 'hash', args = 'args', sentAt = this.now): string {
    this.batch += 1;
    const token = `${owner}.${this.batch}.0@default`;
    this.say(pid, { event: 'claim', owner, sentAt, jobs: [{ token, jid: 'j', hash, args }] });
    return token;
  }

  start({ pid }: Process, token: string): this {
    return this.say(pid, { event: 'start', jid: 'j', token, attempt: 1 });
  }

  end({ pid }: Process, token: string, event: 'end' | 'fail' = 'end'): this {
    return this.say(pid, { event, jid: 'j', token });
  }

  settle(
    { pid }: Process,
    token: string,
    kind: 'ended' | 'retry' | 'requeue' = 'ended',
    answer = 'accepted',
  ): this {
    this.call += 1;
    this.say(pid, { event: 'settle-sent', call: this.call, ends: [{ token, kind }] });
    if (answer === 'unknown') return this;
    const isRefused = answer === 'refused';
    const reply = { registered: !isRefused, notHeld: isRefused ? [0] : [], blocked: [] };
    return this.say(pid, { event: 'settle-answered', call: this.call, ...reply });
  }

  /** `by` puts back what `of` held. */
  recover(by: Process, of: Process, putBack = 1, declared = true): this {
    this.call += 1;
    const { owner } = of;
    this.say(by.pid, { event: 'recover-sent', call: this.call, owner });
    const answer = { answer: 'dead', declared, putBack, left: 0 } as const;
    return this.say(by.pid, { event: 'recover-answered', call: this.call, owner, ...answer });
  }

  /** Claimed, run, and settled. */
  done(by: Process): this {
    const token = this.claim(by);
    return this.start(by, token).end(by, token).settle(by, token);
  }

  check(final: FinalState = nothing, settings?: CheckSettings) {
    return checkHistory(this.lines, final, settings);
  }

  broken(final?: FinalState, settings?: CheckSettings): readonly string[] {
    return this.check(final, settings).violations.map(({ rule }) => rule);
  }
}

const enqueued = () => new Told().enq();

describe('a good history', () => {
  test('of a job that is done breaks nothing', () => {
    expect(enqueued().done(a).check()).toMatchObject({ violations: [], jobs: 1, tracked: 1, done: 1 });
  });

  test('of a job that fails, is retried and is done breaks nothing', () => {
    const told = enqueued();
    const token = told.claim(a);
    told.start(a, token).end(a, token, 'fail').settle(a, token, 'retry').done(b);
    expect(told.broken()).toEqual([]);
  });

  test('of a job whose process is killed breaks nothing, and says how soon it was back', () => {
    const told = enqueued();
    told.start(a, told.claim(a)).fault('kill', a.pid).pause(1).recover(b, a).done(b);
    const report = told.check(nothing, { deathMs: 5_000 });
    expect(report).toMatchObject({ violations: [], overlaps: 0, recoveries: [{ path: 'death', jobs: 1 }] });
    expect(report.recoveries[0]?.ms).toBeGreaterThanOrEqual(1_000);
  });

  test('of a job that lies in the dead set breaks nothing', () => {
    const told = enqueued();
    const token = told.claim(a);
    told.start(a, token).end(a, token, 'fail').settle(a, token, 'retry');
    expect(told.broken({ jobs: [{ place: 'dead', jid: 'j', hash: 'hash' }], keys: [] })).toEqual([]);
  });
});

describe('lost', () => {
  test('is an acknowledged job that has no end and is nowhere', () => {
    const told = enqueued();
    told.start(a, told.claim(a)).fault('kill', a.pid);
    expect(told.broken()).toEqual(['lost']);
  });

  test('is an untracked one that had not begun, and not one whose process died in its perform', () => {
    const notBegun = new Told().enq(false);
    notBegun.claim(a);
    expect(notBegun.fault('kill', a.pid).broken()).toEqual(['lost']);
    const begun = new Told().enq(false);
    begun.start(a, begun.claim(a)).fault('kill', a.pid);
    expect(begun.check()).toMatchObject({ violations: [], lostUntracked: 1 });
  });

  test('is an untracked one that had begun, though its process lived', () => {
    const told = new Told().enq(false);
    told.start(a, told.claim(a));
    expect(told.broken()).toEqual(['lost']);
  });

  test('is not one whose enqueue got no answer, nor one that was written in what Redis lost', () => {
    expect(new Told().enq(true, 'unknown').broken()).toEqual([]);
    const inTail = enqueued().fault('lost-tail', undefined, 0);
    expect(inTail.check()).toMatchObject({ violations: [], lostWithTail: 1 });
    const before = enqueued().pause(1);
    const since = before.lines.at(-1)?.at ?? 0;
    expect(before.fault('lost-tail', undefined, since + 1).broken()).toEqual(['lost']);
  });
});

describe('duplicated', () => {
  test('is a job that was done twice for no reason; it was taken twice then', () => {
    expect(enqueued().done(a).done(b).broken()).toEqual(['twice recovered', 'duplicated']);
  });

  test('is one that was put back though Redis had confirmed its end', () => {
    const told = enqueued().done(a).fault('kill', a.pid).recover(b, a).done(b);
    expect(told.broken()).toEqual(['duplicated']);
  });

  test('is explained by the death of its process between its end and the answer', () => {
    const told = enqueued();
    const token = told.claim(a);
    told
      .start(a, token)
      .end(a, token)
      .settle(a, token, 'ended', 'unknown')
      .fault('kill', a.pid)
      .recover(b, a);
    const { violations, duplicates } = told.done(b).check();
    expect([violations, duplicates['death before settle']]).toEqual([[], 1]);
  });

  test('is explained by a freeze longer than the TTL', () => {
    const told = enqueued();
    const token = told.claim(a);
    told.start(a, token).fault('stop', a.pid).pause(4).recover(b, a).done(b).fault('continue', a.pid);
    const { violations, duplicates, refusedSettles } = told
      .end(a, token)
      .settle(a, token, 'ended', 'refused')
      .check();
    expect([violations, refusedSettles]).toEqual([[], 1]);
    expect(duplicates['false death']).toBe(1);
  });

  test('is explained by a freeze between a claim and its reply, after which the zombie begins last', () => {
    const told = enqueued();
    const sentAt = told.lines.at(-1)?.at ?? 0;
    told.fault('stop', a.pid).pause(4).recover(b, a).done(b).fault('continue', a.pid);
    const token = told.claim(a, 'hash', 'args', sentAt);
    told.start(a, token).end(a, token).settle(a, token, 'ended', 'refused');
    const { violations, duplicates, overlaps } = told.check();
    expect([violations, duplicates['false death'], overlaps]).toEqual([[], 1, 0]);
  });

  test('is explained by a lost tail', () => {
    const { violations, duplicates } = enqueued().done(a).fault('lost-tail').done(b).check();
    expect([violations, duplicates['lost tail']]).toEqual([[], 1]);
  });

  test('is explained by a retry of an untracked job that got no answer and was written again; not of a tracked one', () => {
    const told = (tracked: boolean) => {
      const history = new Told().enq(tracked);
      const token = history.claim(a);
      history.start(a, token).end(a, token, 'fail');
      return history.settle(a, token, 'retry', 'unknown').settle(a, token, 'retry').done(a).done(b);
    };
    const { violations, duplicates } = told(false).check();
    expect([violations, duplicates['reply lost']]).toEqual([[], 1]);
    expect(told(true).broken()).toEqual(['twice recovered', 'duplicated']);
  });

  test('is explained by a stop at whose deadline it was put back', () => {
    const told = enqueued();
    const token = told.claim(a);
    told.start(a, token).say(a.pid, { event: 'abort', jid: 'j', token, reason: 'TSQ_JOB_STOPPED' });
    told.settle(a, token, 'requeue').done(b);
    const { violations, duplicates } = told.end(a, token).check();
    expect([violations, duplicates.stop]).toEqual([[], 1]);
  });
});

test('overlap: two runs at once, though nobody was dead', () => {
  const told = enqueued();
  const first = told.claim(a);
  told.start(a, first).settle(a, first, 'retry');
  const again = told.claim(b);
  told.start(b, again).end(a, first, 'fail').end(b, again);
  expect(told.broken()).toEqual(['overlap']);
});

describe('twice recovered', () => {
  test('is a job of which there are two after one death', () => {
    const told = enqueued();
    told.start(a, told.claim(a)).fault('kill', a.pid).recover(b, a, 2);
    const [once, twice] = [told.claim(b), told.claim(b)];
    told.start(b, once).end(b, once).settle(b, once).settle(b, twice);
    expect(told.broken()).toEqual(['twice recovered']);
  });

  test('is an instance that is declared dead twice', () => {
    const told = enqueued();
    told.start(a, told.claim(a)).fault('kill', a.pid).recover(b, a).recover(b, a, 0).done(b);
    expect(told.broken()).toEqual(['twice recovered']);
  });

  test('is not a job that two deaths put back', () => {
    const told = enqueued();
    told.start(a, told.claim(a)).fault('kill', a.pid).recover(b, a);
    told.start(b, told.claim(b)).fault('kill', b.pid);
    const c = { pid: 33, owner: 'web-33-cc' };
    expect(told.say(c.pid, { event: 'registered', owner: c.owner }).recover(c, b).done(c).broken()).toEqual(
      [],
    );
  });

  test('is not a claim whose owner was killed before it could write it down', () => {
    // b took it and died before its line; c is the third.
    const c = { pid: 33, owner: 'web-33-cc' };
    const told = enqueued().say(c.pid, { event: 'registered', owner: c.owner });
    told
      .start(a, told.claim(a))
      .fault('kill', a.pid)
      .recover(c, a)
      .fault('kill', b.pid)
      .recover(c, b)
      .done(c);
    expect(told.broken()).toEqual([]);
  });
});

describe('false death', () => {
  test('is the death of an instance that nothing kept from being heard', () => {
    const told = enqueued();
    told.start(a, told.claim(a)).pause(1).recover(b, a);
    expect(told.broken()).toContain('false death');
  });

  test.each([
    ['a freeze', 'stop', 'continue', a.pid],
    ['a partition', 'network', 'network-over', a.pid],
    ['a Redis that was away', 'redis-away', 'redis-back', undefined],
  ] as const)(
    'is not one that %s explains; that of another explains nothing',
    (_what, begin, over, target) => {
      const told = (pid: number | undefined) =>
        enqueued().fault(begin, pid).pause(4).fault(over, pid).recover(b, a, 0).done(b).broken();
      expect(told(target)).toEqual([]);
      if (target !== undefined) expect(told(b.pid)).toEqual(['false death']);
    },
  );

  test('is not excused by a fault that was over long before', () => {
    const told = enqueued().fault('stop', a.pid).fault('continue', a.pid).pause(20).recover(b, a, 0).done(b);
    expect(told.broken()).toEqual(['false death']);
  });
});

test('late: what a killed process held is back after the bound, and Redis was well', () => {
  const told = enqueued();
  told.start(a, told.claim(a)).fault('kill', a.pid).pause(6).recover(b, a).done(b);
  expect(told.broken(nothing, { deathMs: 5_000 })).toEqual(['late']);
  expect(told.broken(nothing, { deathMs: 7_000 })).toEqual([]);
});

test('bytes: what comes back is not what was taken, or not what was enqueued', () => {
  const told = enqueued();
  told.start(a, told.claim(a)).fault('kill', a.pid).recover(b, a);
  const token = told.claim(b, 'other');
  told.start(b, token).end(b, token).settle(b, token);
  expect(told.broken()).toEqual(['bytes']);
  const changed = enqueued();
  const own = changed.claim(a, 'hash', 'other args');
  expect(changed.start(a, own).end(a, own).settle(a, own).broken()).toEqual(['bytes']);
});

test('leak: a key of the namespace is left', () => {
  expect(
    enqueued()
      .done(a)
      .broken({ jobs: [], keys: ['tsq:jobs:web-11-aa'] }),
  ).toEqual(['leak']);
});

test('unexpected: a job that nobody enqueued', () => {
  expect(new Told().done(a).broken()).toEqual(['unexpected']);
});
