import { expect, test } from '@jest/globals';
import { JidSource } from './jid.js';

test('jids are 24 lower-case hex characters and no two are alike, across refills of the pool', () => {
  const source = new JidSource();
  const jids = Array.from({ length: 5_000 }, () => source.next());
  expect(jids.every((jid) => /^[0-9a-f]{24}$/.test(jid))).toBe(true);
  expect(new Set(jids).size).toBe(jids.length);
});
