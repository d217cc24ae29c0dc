/** The classes of workers.ts, by name: whoever enqueues them knows no more. */

export const trackedNames: ReadonlySet<string> = new Set([
  'Chaos::Tracked',
  'Chaos::Heeding',
  'Chaos::Failing',
  'Chaos::Busy',
  'Chaos::Blocking',
  'Chaos::Poison',
  'Chaos::Hungry',
]);

const untrackedNames: ReadonlySet<string> = new Set(['Chaos::Untracked', 'Chaos::FailingUntracked']);

export function isKnownName(name: string): boolean {
  return trackedNames.has(name) || untrackedNames.has(name);
}
