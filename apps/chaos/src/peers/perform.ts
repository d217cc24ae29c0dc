/** What the job does in Node, under whatever server: sleeps, or lets the event loop do nothing else. */
import { setTimeout as delay } from 'node:timers/promises';
import { writeEvent } from './peer-journal.js';

/** So that the others of the batch have begun. */
const beforeBlockMs = 300;

export async function perform(job: number, durationMs: number, how: string): Promise<void> {
  writeEvent('S', job);
  if (how === 'block') {
    await delay(beforeBlockMs);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
  } else {
    await delay(durationMs);
  }
  writeEvent('E', job);
}
