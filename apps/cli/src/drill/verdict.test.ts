import { describe, expect, test } from '@jest/globals';
import { runsOf } from './journal.js';
import { type History, verdictOf } from './verdict.js';

/** Two jobs: 0 was in flight at the kill and ran again, 1 was the survivor's. */
const good = ['start 0 11 100', 'start 1 22 110', 'end 1 22 900', 'start 0 22 4100', 'end 0 22 4900', ''];

function history(lines: readonly string[], others: Partial<History> = {}): History {
  const kill = { pid: 11, atMs: 500, held: 1 };
  return { jobs: 2, runs: runsOf(lines.join('\n')), kill, putBackAtMs: 2_600, waiting: new Set(), ...others };
}

describe('the verdict on a drill', () => {
  test('is passed when each job ended once, and says how soon', () => {
    expect(verdictOf(history(good))).toEqual({
      ...{ verdict: 'passed', jobs: 2, ended: 2, lost: 0, unfinished: 0, duplicated: 0 },
      ...{ inFlight: 1, held: 1, startedTwice: 1, putBackSeconds: 2.1 },
      startedAgainSeconds: { first: 3.6, last: 3.6 },
    });
  });

  test('does not say that jobs were put back after they had started again', () => {
    expect(verdictOf(history(good, { putBackAtMs: 4_110 }))).toMatchObject({ putBackSeconds: 3.6 });
  });

  test('is failed for a job that neither ended nor lies anywhere', () => {
    const verdict = verdictOf(history(good.slice(0, 3).concat('')));
    expect(verdict).toMatchObject({
      verdict: 'failed',
      lost: 1,
      unfinished: 0,
      startedAgainSeconds: undefined,
    });
  });

  test('is failed for a job that was never begun and lies nowhere', () => {
    expect(verdictOf(history(good, { jobs: 3 }))).toMatchObject({ verdict: 'failed', lost: 1 });
  });

  test('is failed for a job that ended twice, by whichever process', () => {
    const again = [...good.slice(0, -1), 'start 1 22 5000', 'end 1 22 5100', ''];
    expect(verdictOf(history(again))).toMatchObject({ verdict: 'failed', duplicated: 1, lost: 0 });
  });

  test('is inconclusive when a job waits still', () => {
    const verdict = verdictOf(history(good.slice(0, 3).concat(''), { waiting: new Set([0]) }));
    expect(verdict).toMatchObject({ verdict: 'inconclusive', lost: 0, unfinished: 1 });
  });

  test('is inconclusive when nothing was in flight at the kill, or nobody saw the death', () => {
    const idle = good.filter((line) => !line.includes(' 11 '));
    expect(verdictOf(history(idle))).toMatchObject({ verdict: 'inconclusive', inFlight: 0 });
    expect(verdictOf(history(good, { putBackAtMs: undefined }))).toMatchObject({ verdict: 'inconclusive' });
  });

  test('does not count a line that is not written to its end', () => {
    expect(verdictOf(history(good.slice(0, -1)))).toMatchObject({ ended: 1, lost: 1 });
  });
});
