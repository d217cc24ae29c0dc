import { describe, expect, test } from '@jest/globals';
import type { InstanceId } from '@tsq/tracker';
import { Inquest } from './post-mortem.js';
import type { RecoveryStep } from './recover.js';
import type { Vitals } from './vitals.js';

const instance = 'web-3' as InstanceId;
const gib = 2 ** 30;
/** 12:04:10 UTC. */
const diedAtSeconds = Date.UTC(2026, 10, 24, 12, 4, 10) / 1_000;

const vitals: Vitals = {
  beatAtSeconds: diedAtSeconds - 3,
  ...{
    uptimeMs: 60_000,
    rssBytes: 1.9 * gib,
    memoryLimitBytes: 2 * gib,
    heapBytes: 1e8,
    heapLimitBytes: 4e9,
  },
  ...{ lagMs: 3, stalledMs: 0, jobsInFlight: 1 },
  jobs: [{ class: 'Import::Csv', jid: 'a1', runningMs: 38_000, claim: '7.2' }],
};

function finding(changes: Partial<Vitals> = {}, rule: 'connections' | 'heartbeat' = 'connections') {
  const held = new Map([
    ['web-3.7.2@low', { class: 'Import::Csv', jid: 'a1' }],
    ['web-3.9.0@low', { class: 'Mail', jid: '' }],
    ['web-3.9.1@low', { class: 'Settled', jid: 'c3' }],
  ]);
  const inquest = new Inquest(instance, rule, held, { ...vitals, ...changes });
  const nothing = { declaredDead: true, missing: [], blockedBy: [], poison: [], lookedAt: 0 };
  const step = (putBack: string[], remaining: number, atSeconds: number): RecoveryStep => ({
    ...nothing,
    ...{ putBack, remaining, atSeconds, recovered: putBack.length },
  });
  inquest.hear(step(['web-3.7.2@low'], 2, diedAtSeconds));
  inquest.hear(step(['web-3.9.0@low', 'web-3.9.7@nobody-knows'], 0, diedAtSeconds + 5));
  return inquest.finding;
}

describe('the post-mortem', () => {
  test('says in one sentence for each job that is back how its instance died and what it was running', () => {
    expect(finding()?.jobs.map(({ sentence }) => sentence)).toEqual([
      'instance web-3 died at 12:04:10 UTC, last beat 3 s before, 1.9 of 2.0 GiB: probably out of memory; was running Import::Csv a1 for 41 s',
      'instance web-3 died at 12:04:10 UTC, last beat 3 s before, 1.9 of 2.0 GiB: probably out of memory; held Mail, which was not yet running at its last beat',
    ]);
  });

  test('has the same as figures', () => {
    expect(finding()).toMatchObject({
      ...{ diedAtSeconds, lastBeatAtSeconds: diedAtSeconds - 3, likelyCause: 'memory' },
      jobs: [
        { class: 'Import::Csv', jid: 'a1', ranMs: 41_000 },
        { class: 'Mail', jid: '', ranMs: undefined },
      ],
    });
  });

  test.each([
    [{ rssBytes: 0.5 * gib }, 'unknown', 'last beat 3 s before, 0.5 of 2.0 GiB'],
    [
      {
        rssBytes: 0.1 * gib,
        memoryLimitBytes: 0.5 * gib,
        heapBytes: 39 * 2 ** 20,
        heapLimitBytes: 40 * 2 ** 20,
      },
      'heap',
      'last beat 3 s before, 102 of 512 MiB, 39 of 40 MiB of its heap: probably out of memory',
    ],
    [
      { rssBytes: 0.5 * gib, stalledMs: 300_000 },
      'unknown',
      'last beat 3 s before, 0.5 of 2.0 GiB, its event loop had not turned for 5 min',
    ],
  ] as const)('of %j it makes the cause %s', (changes, likelyCause, words) => {
    expect(finding(changes)).toMatchObject({
      likelyCause,
      how: `instance web-3 died at 12:04:10 UTC, ${words}`,
    });
  });

  test('of a heartbeat that ran out it does not know when the process died', () => {
    const how = finding({ beatAtSeconds: diedAtSeconds - 91 }, 'heartbeat')?.how;
    expect(how).toContain('instance web-3 was found dead at 12:04:10 UTC, last beat 91 s before');
  });

  test('without a note there is none', () => {
    expect(new Inquest(instance, 'heartbeat', new Map(), undefined).finding).toBeUndefined();
  });
});
