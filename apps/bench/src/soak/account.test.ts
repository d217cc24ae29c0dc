import { describe, expect, test } from '@jest/globals';
import { accountFor } from './account.js';
import type { JournalEvent, JournalLine, Side } from './journal.js';
import { reportOf } from './report.js';

const line = (event: JournalEvent, jid: string, detail = '-', side: Side = 'tsq'): JournalLine => ({
  ...{ event, side, jid, detail },
});
const pushed = (...jids: string[]) => jids.map((jid) => line('push', jid));

describe('the books of a soak', () => {
  test('balance when each job was done, or is dead, or was deleted, once', () => {
    const journal = [...pushed('a', 'b'), line('push', 'c', '-', 'ruby'), line('done', 'a', '-', 'ruby')];
    journal.push(line('fail', 'b'), line('act', 'c', 'delete true'), line('act', 'b', 'delete false'));
    const account = accountFor(journal, ['b']);
    expect(account).toEqual({
      ...{ pushed: { tsq: 2, ruby: 1 }, done: { tsq: 0, ruby: 1 }, failedRuns: 1, dead: 1, deleted: 1 },
      ...{ excused: [], lost: [], doubled: [], unknown: [] },
    });
    expect(reportOf(account, journal)).toContain('jobs 3 = done 1 + dead 1 + deleted 1 - twice 0 + lost 0');
  });

  test('name a job that came to no end', () => {
    expect(accountFor(pushed('a'), []).lost).toEqual(['a']);
  });

  test.each([
    ['done twice', [line('done', 'a'), line('done', 'a', '-', 'ruby')], [], 'a: done by tsq, done by ruby'],
    ['done and dead', [line('done', 'a')], ['a'], 'a: done by tsq, dead'],
    ['dead twice', [], ['a', 'a'], 'a: dead, dead'],
    ['deleted and dead', [line('act', 'a', 'delete true')], ['a'], 'a: dead, deleted by tsq'],
  ] as const)('name a job that was %s', (_how, journal, dead, named) => {
    expect(accountFor([...pushed('a'), ...journal], dead).doubled).toEqual([named]);
  });

  test("excuse a double of a job that Ruby's reschedule wrote anew, and of no other", () => {
    const journal = [...pushed('a', 'b'), line('done', 'a'), line('done', 'b')];
    const account = accountFor([...journal, line('resurrected', 'a', 'reschedule true', 'ruby')], ['a', 'b']);
    expect([account.excused, account.doubled]).toEqual([['a'], ['b: done by tsq, dead']]);
  });

  test('excuse no loss', () => {
    expect(accountFor([...pushed('a'), line('resurrected', 'a')], []).lost).toEqual(['a']);
  });

  test('name a job that nobody pushed', () => {
    expect(accountFor([line('done', 'x')], []).unknown).toEqual(['x']);
  });
});
