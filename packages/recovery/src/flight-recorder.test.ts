import { describe, expect, test } from '@jest/globals';
import { FlightReader } from './flight-reader.js';
import { FlightRecorder } from './flight-recorder.js';

const payload = (fields: object) =>
  Buffer.from(JSON.stringify({ class: 'Images::Resize', args: [], ...fields }));

function recorded(fields: object, unit: object = { owner: 'web-3', batch: 7, index: 2 }) {
  const bytes = payload(fields);
  const { jid = '', class: displayClass = '' } = JSON.parse(bytes.toString());
  return { unit: { bytes, ...unit }, jid, displayClass, beganAtMs: performance.now() };
}

describe('FlightRecorder', () => {
  /** The reader as a thread has it: it hears of new ids by messages. */
  function pair() {
    const owners: string[] = [];
    const recorder = new FlightRecorder(10, (id) => owners.push(id));
    const reader = new FlightReader(recorder.source);
    const jobs = () => {
      for (const id of owners.splice(0)) reader.addOwner(id);
      return reader.jobs();
    };
    return { recorder, reader, jobs };
  }

  test('what runs is read with class, jid and claim, and what has ended is not', () => {
    const { recorder, jobs } = pair();
    const first = recorder.began(recorded({ jid: 'a1' }));
    recorder.began(recorded({ jid: 'b2' }, { owner: 'web-3', batch: 8, index: 0 }));
    expect(jobs().listed).toEqual([
      expect.objectContaining({ class: 'Images::Resize', jid: 'a1', claim: 'web-3.7.2' }),
      expect.objectContaining({ jid: 'b2', claim: 'web-3.8.0' }),
    ]);
    recorder.ended(first);
    expect(jobs().listed.map(({ jid }) => jid)).toEqual(['b2']);
  });

  test('the longest-running comes first, whichever place it has', () => {
    const { recorder, jobs } = pair();
    recorder.ended(recorder.began(recorded({ jid: 'gone' })));
    const nowMs = performance.now();
    for (const [jid, agoMs] of [
      ['young', 1_000],
      ['old', 60_000],
      ['middle', 5_000],
    ] as const)
      recorder.began({ ...recorded({ jid }), beganAtMs: nowMs - agoMs });
    const { listed } = jobs();
    expect(listed.map(({ jid }) => jid)).toEqual(['old', 'middle', 'young']);
    expect(listed[0]?.runningMs).toBeGreaterThanOrEqual(60_000);
    expect(listed[0]?.runningMs).toBeLessThan(70_000);
  });

  test('claims of an id that has lapsed are not taken for those of the new one', () => {
    const { recorder, jobs } = pair();
    for (const owner of ['web-3', 'web-4', 'web-3'])
      recorder.began(recorded({}, { owner, batch: 1, index: 0 }));
    expect(jobs().listed.map(({ claim }) => claim)).toEqual(['web-3.1.0', 'web-4.1.0', 'web-3.1.0']);
  });

  test.each([
    ['an ActiveJob is named by the class it wraps', { class: 'JobWrapper', wrapped: 'Import' }, 'Import', ''],
    ['a name for people wins', { display_class: 'Nice', wrapped: 'Import' }, 'Nice', ''],
    ['escapes are read', { class: 'A"B', jid: 'é\n' }, 'A"B', 'é\n'],
    ['a jid that is no string is none', { jid: 42 }, 'Images::Resize', ''],
    ['a big payload keeps its names', { class: 'Big', jid: 'b', args: ['x'.repeat(5_000)] }, 'Big', 'b'],
    ['a jid as big as that is cut', { args: [], jid: '"'.repeat(5_000) }, 'Images::Resize', '"'.repeat(200)],
  ])('%s', (_what, fields, name, jid) => {
    const { recorder, jobs } = pair();
    recorder.began(recorded(fields));
    expect(jobs().listed).toEqual([expect.objectContaining({ class: name, jid })]);
  });

  test('a Fetcher without claims leaves none', () => {
    const { recorder, jobs } = pair();
    recorder.began(recorded({}, {}));
    expect(jobs().listed[0]?.claim).toBeUndefined();
  });

  test('of more jobs than there is room for the rest is counted, and places come back', () => {
    const { recorder, jobs } = pair();
    const places = Array.from({ length: 1_030 }, (_, index) => recorder.began(recorded({ jid: `${index}` })));
    expect(jobs()).toMatchObject({ unlisted: 6, listed: { length: 1_024 } });
    for (const place of places) recorder.ended(place);
    expect(jobs()).toEqual({ unlisted: 0, listed: [] });
    recorder.began(recorded({ jid: 'again' }));
    expect(jobs().listed.map(({ jid }) => jid)).toEqual(['again']);
  });

  test('turns of the event loop are counted, and how late the worst of them came', async () => {
    const { recorder, reader } = pair();
    recorder.start();
    const before = reader.turns;
    const end = performance.now() + 100;
    while (performance.now() < end); // blocks the loop, as a job does
    expect(reader.turns).toBe(before);
    expect(reader.sinceTurnMs).toBeGreaterThanOrEqual(99);
    await new Promise((resolve) => setTimeout(resolve, 20));
    recorder.stop();
    expect(reader.turns).toBeGreaterThan(before);
    expect(reader.takeLagMs()).toBeGreaterThanOrEqual(85);
    expect(reader.takeLagMs()).toBe(0);
    expect(reader.heap.used).toBeGreaterThan(0);
    expect(reader.heap.limit).toBeGreaterThan(reader.heap.used);
  });
});
