/**
 * S6: what decides about life and death reads Redis' clock, or measures spans by the monotonic one. So the packages that decide
 * do not read the host's clock at all, and the few places of the runtime that do are listed, each with what it is for.
 */
import { expect, test } from '@jest/globals';
import { filesUnder, readText } from './workspace.js';

const hostClock = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.timeOrigin\b/;

const readers = (folder: string) =>
  filesUnder(folder, '.ts')
    .filter((path) => !path.includes('/test-support/') && !path.endsWith('.test.ts'))
    .filter((path) => hostClock.test(withoutComments(readText(path))));

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}

test.each(['packages/tracker/src', 'packages/recovery/src'])(
  "S6: %s never reads the host's clock",
  (folder) => {
    expect(readers(folder)).toEqual([]);
  },
);

test("S6: where the runtime reads the host's clock, it is only shown or written down", () => {
  expect(readers('packages/worker/src')).toEqual([
    'packages/worker/src/clock.ts', // when Redis does not answer, and for a program that brings no other
    'packages/worker/src/distinct-now.ts', // failed_at, retried_at
    'packages/worker/src/job-context.ts', // since when a job runs, for Sidekiq's Busy page
    'packages/worker/src/job-ending.ts', // enqueued_at of a job that yields
    'packages/worker/src/job-metrics.ts', // the minute of a metric, until Redis has told its time
    'packages/worker/src/process-registry.ts', // Sidekiq's own beat, which its pages show
  ]);
});
