/** Every job was done, and what was done twice has a cause that the row expects. */
import type { Cause, Report } from '../checker/report.js';

/** @param causes of which some jobs may have been done twice. Default: none */
export function expectAllDone(
  { done, jobs, unacknowledged, duplicates }: Report,
  causes: readonly Cause[] = [],
): void {
  // A job whose enqueue got no answer may be there or not.
  if (done < jobs - unacknowledged) throw new Error(`${jobs - unacknowledged} jobs, ${done} done`);
  const twice = Object.entries(duplicates).filter(
    ([cause, count]) => count > 0 && !causes.some((each) => each === cause),
  );
  if (twice.length > 0)
    throw new Error(`done twice, and should not: ${JSON.stringify(Object.fromEntries(twice))}`);
}

/** Nobody was declared dead. */
export function expectNoRecovery({ recoveries }: Report): void {
  if (recoveries.length > 0) throw new Error(`nobody died, yet ${JSON.stringify(recoveries)}`);
}
