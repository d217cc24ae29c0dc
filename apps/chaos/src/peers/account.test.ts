import { describe, expect, test } from '@jest/globals';
import { account, openRuns } from './account.js';
import type { PeerEvent } from './peer-journal.js';

/** `S0@1:2`: job 0 starts in process 1 at second 2. */
function history(text: string): readonly PeerEvent[] {
  return text.split(' ').map((word) => {
    const [, what, job, pid, second] = /^([SE])(\d+)@(\d+):(\d+)$/.exec(word) ?? [];
    if (what !== 'S' && what !== 'E') throw new Error(`no event: ${word}`);
    return { what, job: Number(job), pid: Number(pid), atMicros: Number(second) * 1e6 };
  });
}
const killAt = (second: number) => ({ pid: 1, atMicros: second * 1e6 });
const none = { lost: 0, startedTwice: 0, finishedTwice: 0 };

describe('the account of a peer', () => {
  test('all that ended once, and nobody was in flight', () => {
    expect(account(history('S0@1:1 E0@1:2'), 1, killAt(3))).toEqual({
      ...{ inFlight: 0, recoverySeconds: undefined },
      ...none,
    });
  });

  test('a job that died with its process, and one that never started, are lost', () => {
    expect(account(history('S0@1:1 S1@2:1 E1@2:2'), 3, killAt(2))).toMatchObject({ inFlight: 1, lost: 2 });
  });

  test('started twice and ended once: recovered, the last of them counts', () => {
    const text = 'S0@1:1 S1@1:1 S0@2:5 S1@2:9 E0@2:6 E1@2:10';
    expect(account(history(text), 2, killAt(2))).toEqual({
      ...{ inFlight: 2, recoverySeconds: 7 },
      ...{ lost: 0, startedTwice: 2, finishedTwice: 0 },
    });
  });

  test('a job that both finish is finished twice', () => {
    expect(account(history('S0@1:1 S0@2:4 E0@1:5 E0@2:6'), 1, killAt(2))).toMatchObject({
      ...{ startedTwice: 1, finishedTwice: 1 },
    });
  });

  test('a run is open until it ends or its process is dead', () => {
    const events = history('S0@1:1 S1@2:1 S2@2:1 E2@2:2');
    expect(openRuns(events, new Set())).toBe(2);
    expect(openRuns(events, new Set([1]))).toBe(1);
  });
});
