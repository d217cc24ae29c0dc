/** The books and the actions, as a table for people. */
import type { Account } from './account.js';
import type { JournalLine, Side } from './journal.js';

export function reportOf(account: Account, journal: readonly JournalLine[]): string {
  const { pushed, done } = account;
  const rows: readonly (readonly [string, number | string, number | string])[] = [
    ['', 'tsq', 'Ruby'],
    ['pushed by', pushed.tsq, pushed.ruby],
    ['done by', done.tsq, done.ruby],
    ...actionRows(journal),
  ];
  const total = pushed.tsq + pushed.ruby;
  const ended = done.tsq + done.ruby + account.dead + account.deleted;
  return [
    ...rows.map(
      ([name, tsq, ruby]) => `${name.padEnd(24)}${String(tsq).padStart(14)}${String(ruby).padStart(14)}`,
    ),
    '',
    `jobs ${total} = done ${done.tsq + done.ruby} + dead ${account.dead} + deleted ${account.deleted}` +
      ` - twice ${ended - total + account.lost.length - account.unknown.length} + lost ${account.lost.length}`,
    `failed runs ${account.failedRuns}, doubled by Ruby's reschedule ${account.excused.length},` +
      ` doubled otherwise ${account.doubled.length}, lost ${account.lost.length}, unknown ${account.unknown.length}`,
    ...account.lost.map((jid) => `lost: ${jid}`),
    ...account.doubled.map((job) => `doubled: ${job}`),
    ...account.unknown.map((jid) => `nobody pushed: ${jid}`),
  ].join('\n');
}

/** How many were done, of how many that were asked for: the rest came too late. */
function actionRows(journal: readonly JournalLine[]): readonly (readonly [string, string, string])[] {
  const acts = journal
    .filter(({ event }) => event === 'act' || event === 'resurrected')
    .map(({ side, detail }) => {
      const [name = '', answer] = detail.split(' ');
      return { side, name: name === 'add_to_queue' ? 'addToQueue' : name, isDone: answer === 'true' };
    });
  const names = [...new Set(acts.map(({ name }) => name))].sort();
  const cell = (name: string, side: Side) => {
    const own = acts.filter((act) => act.name === name && act.side === side);
    return own.length === 0 ? '-' : `${own.filter(({ isDone }) => isDone).length}/${own.length}`;
  };
  return names.map((name) => [`action ${name}`, cell(name, 'tsq'), cell(name, 'ruby')]);
}
