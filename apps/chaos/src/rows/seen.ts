/** What a row looks for in the history, while it is written. */
import type { HistoryLine, RunEvent } from '../history/line.js';
import type { Stage } from '../stage/stage.js';

/** By value, and in whichever realm they were made: assert's strict comparison tells arrays of two realms apart. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [came, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (came !== wanted) throw new Error(`${what}: expected ${wanted}, got ${came}`);
}

/** @param text what was expected, and what came */
export function must(holds: boolean, text: string): void {
  if (!holds) throw new Error(text);
}

type RunEventName = 'start' | 'end' | 'fail' | 'abort';
type RunLine<E extends RunEventName> = HistoryLine & Extract<RunEvent, { readonly event: E }>;

/** Lines of one event of one job, in the order of time. @param pid of one process alone */
export function seen<E extends RunEventName>(
  stage: Stage,
  event: E,
  jid: string,
  pid?: number,
): readonly RunLine<E>[] {
  const isOne = (line: HistoryLine): line is RunLine<E> =>
    line.event === event && 'jid' in line && line.jid === jid && (pid === undefined || line.pid === pid);
  return stage.lines().filter(isOne);
}

/** Waits until each of the jobs has begun. @param pid of one process alone */
export async function begun(stage: Stage, jids: readonly string[], pid?: number): Promise<void> {
  await stage.eventually(() => {
    const missing = jids.filter((jid) => seen(stage, 'start', jid, pid).length === 0);
    same(missing, [], 'jobs that have not begun');
  });
}

/** Waits until each of the jobs has ended. @param pid of one process alone */
export async function ended(stage: Stage, jids: readonly string[], pid?: number): Promise<void> {
  await stage.eventually(() => {
    const missing = jids.filter((jid) => seen(stage, 'end', jid, pid).length === 0);
    same(missing, [], 'jobs that have not ended');
  });
}

/** Instances that were declared dead so far. */
export function declaredDead(stage: Stage): readonly string[] {
  return stage
    .lines()
    .flatMap((line) => (line.event === 'recover-answered' && line.declared ? [line.owner] : []));
}
