/**
 * S1 and S5 under a person's hands: whatever is done to entries, in whatever order, each is in exactly one place, and only the
 * keys that the action edits have changed.
 */
import { expect, test } from '@jest/globals';
import { DeadSet, type JobSet, RetrySet, ScheduledSet, type SortedEntry } from '@tsq/core';
import { useRedis } from '@tsq/core/test-support';
import fc from 'fast-check';
import { arbitraryPayload } from './arbitrary-payload.js';
import { edited, objectText, rawValue } from './member-texts.js';

const redis = useRedis();
const keysOfSets = ['schedule', 'retry', 'dead'] as const;
type Place = (typeof keysOfSets)[number] | 'queue' | 'nowhere';

/** Where a job must be by now, and its bytes as `latin1`. */
interface Expected {
  place: Place;
  text: string;
}

const actions = ['retry', 'addToQueue', 'kill', 'delete', 'reschedule'] as const;
const step = fc.record({ action: fc.constantFrom(...actions), job: fc.nat(), retries: fc.boolean() });

/** What the action must leave of the text, and the text that stands there now. */
function expectEdited(action: 'retry' | 'addToQueue', before: string, after: string): void {
  const [old, now] = [objectText(before), objectText(after)];
  const queue = rawValue(old, 'queue');
  const count = rawValue(old, 'retry_count') ?? '';
  const isCounted = action === 'retry' && /^-?\d+$/.test(count);
  const named = queue === '"low"' || queue === '"default"';
  const set = [
    ...(isCounted ? ['retry_count'] : []),
    ...(named ? [] : ['queue']),
    ...['retry', 'created_at'].filter((key) => rawValue(old, key) === undefined),
    'enqueued_at',
  ];
  expect(now).toMatchObject(edited(old, set, ['at']));
  if (isCounted) expect(rawValue(now, 'retry_count')).toBe(String(Number(count) - 1));
  if (!named) expect(rawValue(now, 'queue')).toBe('"default"');
}

test('S1, S5: after any actions on any payloads each job is in one place, and only edited keys have changed', async () => {
  const admin = redis.connect();
  const sets: Readonly<Record<string, JobSet>> = {
    schedule: new ScheduledSet(admin),
    retry: new RetrySet(admin),
    dead: new DeadSet(admin),
  };

  async function entryOf(key: string, text: string): Promise<SortedEntry> {
    for await (const entry of sets[key] ?? []) {
      if (entry.bytes.toString('latin1') === text) return entry;
    }
    throw new Error(`${text} is not in ${key}`);
  }

  async function queued(): Promise<string[]> {
    const lists = await Promise.all(
      ['default', 'low'].map((name) => admin.lrangeBuffer(`queue:${name}`, 0, -1)),
    );
    return lists.flat().map((bytes) => bytes.toString('latin1'));
  }

  async function act(
    job: Expected,
    { action, retries }: { readonly action: (typeof actions)[number]; readonly retries: boolean },
  ) {
    const [key, before] = [job.place, job.text];
    const entry = await entryOf(key, before);
    const known = new Set(await queued());
    const answer = action === 'reschedule' ? entry.reschedule(1_900_000_000) : entry[action]();
    expect(await answer).toBe(true);
    if (action === 'delete') job.place = 'nowhere';
    if (action === 'kill') job.place = 'dead';
    if (action !== 'retry' && action !== 'addToQueue') return;
    const [after, ...others] = (await queued()).filter((text) => !known.has(text));
    expect(others).toEqual([]);
    expectEdited(action, before, after ?? '');
    job.place = 'queue';
    job.text = after ?? '';
    if (!retries) return;
    // As if it had failed again, so that later steps find it in a set.
    const bytes = Buffer.from(job.text, 'latin1');
    for (const name of ['default', 'low']) await admin.lrem(`queue:${name}`, 1, bytes);
    await admin.zadd('retry', 5e9, bytes);
    job.place = 'retry';
  }

  async function expectPlaces(jobs: readonly Expected[]): Promise<void> {
    const inPlace = (place: Place) =>
      jobs
        .filter((job) => job.place === place)
        .map(({ text }) => text)
        .sort();
    for (const key of keysOfSets) {
      const stand = (await admin.zrangeBuffer(key, '0', '-1')).map((bytes) => bytes.toString('latin1'));
      expect([key, stand.sort()]).toEqual([key, inPlace(key)]);
    }
    expect((await queued()).sort()).toEqual(inPlace('queue'));
  }

  const sequence = fc.asyncProperty(
    fc.uniqueArray(fc.tuple(arbitraryPayload, fc.constantFrom(...keysOfSets), fc.constantFrom(5e9, 6e9)), {
      minLength: 1,
      maxLength: 5,
      selector: ([text]) => text,
    }),
    fc.array(step, { minLength: 1, maxLength: 8 }),
    async (payloads, steps) => {
      await admin.flushall();
      const jobs: Expected[] = payloads.map(([text, place]) => ({ place, text }));
      for (const [text, key, score] of payloads) await admin.zadd(key, score, Buffer.from(text, 'latin1'));
      for (const one of steps) {
        const standing = jobs.filter(({ place }) => place !== 'queue' && place !== 'nowhere');
        const job = standing[one.job % Math.max(1, standing.length)];
        if (job !== undefined) await act(job, one);
      }
      await expectPlaces(jobs);
    },
  );
  await fc.assert(sequence, { numRuns: 150 });
}, 60_000);
