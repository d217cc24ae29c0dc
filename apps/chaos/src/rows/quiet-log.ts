/**
 * A worker's log while Redis is in trouble: a line when a state begins and one when it ends, not one for each try nor for each
 * connection.
 */
import type { WorkerProcess } from '../stage/worker-process.js';

/** Lines about Redis and not about a job. */
const aboutRedis =
  /trying again|works again|^Redis |heartbeat|recovery|look at the connections|not registered/;

/** @param most how often each line may come: once for each time that the state began */
export function expectQuietLog(worker: WorkerProcess, most: number): void {
  const counts = new Map<string, number>();
  for (const { msg } of worker.logLines) {
    if (aboutRedis.test(msg)) counts.set(msg, (counts.get(msg) ?? 0) + 1);
  }
  const loud = [...counts].filter(([, count]) => count > most);
  if (loud.length === 0) return;
  throw new Error(
    `the log says more than ${most} times: ${loud.map(([msg, count]) => `${count} × "${msg}"`).join(', ')}`,
  );
}

/** What the log says of Redis, for messages. */
export function saidOfRedis(worker: WorkerProcess): string {
  return worker.logLines
    .filter(({ msg }) => aboutRedis.test(msg))
    .map(({ time, msg, reason }) => `${time} ${msg} ${reason ?? ''}`)
    .join('\n');
}

/** @param text the beginning of a state's line; @param times how often it began, and is over by now */
export function expectStates(worker: WorkerProcess, text: string, times: number): void {
  const began = worker.logged(text).length;
  if (began !== times)
    throw new Error(`expected ${times} lines "${text}", got ${began}:\n${saidOfRedis(worker)}`);
}

/** @param times how often it was away, and is back by now */
export function expectOutages(worker: WorkerProcess, times: number): void {
  const away = worker.logged('Redis is away').length;
  const back = worker.logged('Redis is back').length;
  if (away === times && back === times) return;
  throw new Error(
    `expected ${times} lines each that Redis is away, and is back; got ${away} and ${back}:\n${saidOfRedis(worker)}`,
  );
}
