/** The suite of the contract `Component`, for all who sign it. */
import { expect, test } from '@jest/globals';
import type { Component } from '../component.js';
import { eventually } from './eventually.js';

export function itIsAComponent(make: () => Component): void {
  test('called from all sides at once it ends stopped, leaves nothing behind and does not start again', async () => {
    const deadline = AbortSignal.abort();
    // The process' own, opened when somebody first asks for them, as a thread does: nobody leaves them behind.
    for (const stream of [process.stdout, process.stderr]) expect(stream.writable).toBe(true);
    const before = process.getActiveResourcesInfo();
    for (let round = 0; round < 20; round += 1) {
      const component = make();
      await Promise.allSettled([
        component.start(),
        component.quiet(),
        component.start(),
        component.stop(deadline),
      ]);
      await component.stop(deadline);
      await expect(component.start()).rejects.toMatchObject({ code: 'TSQ_COMPONENT_STOPPED' });
    }
    await eventually(() => expect(left(before, process.getActiveResourcesInfo())).toEqual([]));
  });
}

/** What is there now and was not before, by kind: a timeout more than there was is one that was left behind. */
function left(before: readonly string[], now: readonly string[]): readonly string[] {
  const gone = [...before];
  return now.filter((kind) => {
    const at = gone.indexOf(kind);
    if (at >= 0) gone.splice(at, 1);
    return at < 0;
  });
}
